"""What runtimes see of photos is what evaluate has measured."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fieldguide.evaluate.models import see_photos
from fieldguide.inference.runtimes import load_torch
from fieldguide.learn.dataset import PhotoDataset, chunk_keys
from fieldguide.learn.network import build_network, load_network, save_network
from fieldguide.learn.params import BackboneParams
from fieldguide.learn.predict import run_batches
from fieldguide.records.reader import RecordSet
from tests.export.making import LOOKS, stir
from tests.records.making import TAXONOMY


@pytest.mark.parametrize("architecture", ["mobilenetv2_035", "efficientvit_m0"])
def test_torch_sees_what_evaluate_measured(architecture: str, tmp_path: Path, val: RecordSet) -> None:
    # efficientvit_m0 has a normalisation between what it calls pre-logits and its classifier.
    section = {"architecture": architecture, "architecture_args": {}, "image_size": 64, **LOOKS}
    backbone = BackboneParams.model_validate(section)
    network = build_network(backbone, ranks=TAXONOMY.ranks, classes=TAXONOMY.classes, region=None, seed=5)
    stir(network.module)
    save_network(network, tmp_path)
    network = load_network(tmp_path)
    seen, logits = see_photos(network, val, np.arange(4), batch_size=4, workers=0)
    inputs: list[torch.Tensor] = []

    def keep(_: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        inputs.append(images)
        return images

    list(run_batches(network.module, PhotoDataset(val, network.spec), chunk_keys(np.arange(4), 4), keep, 0))
    found, own = load_torch(tmp_path).see(inputs[0].numpy())[::-1]
    np.testing.assert_allclose(found, seen, atol=1e-5)
    np.testing.assert_allclose(own[:, : logits.shape[1]], logits, atol=1e-5)
    np.testing.assert_allclose(own, load_torch(tmp_path).predict(inputs[0].numpy()), atol=1e-5)
