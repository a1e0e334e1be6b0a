"""Predictions come in the order asked for, whatever the batches."""

import io

import numpy as np
import torch
from PIL import Image

from fieldguide.learn.predict import predict_batches
from fieldguide.records.reader import RecordSet
from fieldguide.records.torch.drawing import to_input
from tests.learn.making import make_network


def test_logits_are_the_networks_answers_in_order(train: RecordSet):
    network = make_network()
    network.module.train()
    batches = list(predict_batches(network, train, [5, 0, 47], batch_size=2, workers=0))
    assert [batch.shape for batch in batches] == [(2, 8), (1, 8)]
    logits = np.concatenate(batches)
    assert logits.dtype == np.float32
    assert network.module.training
    network.module.eval()
    spec = network.spec
    for row, index in zip(logits, (5, 0, 47), strict=True):
        image = torch.from_numpy(np.array(Image.open(io.BytesIO(train[index].image)))).permute(2, 0, 1)
        with torch.inference_mode():
            expected = network.module(to_input(image[None], spec.mean, spec.std))[0]
        np.testing.assert_allclose(row, expected.numpy(), rtol=1e-4, atol=1e-4)


def test_all_records_by_default_and_none_if_asked(train: RecordSet):
    network = make_network()
    assert [len(batch) for batch in predict_batches(network, train, batch_size=20, workers=1)] == [20, 20, 8]
    assert list(predict_batches(network, train, [], batch_size=20, workers=0)) == []
