"""A classifier fitted to frozen features before fine-tuning."""

import tracemalloc

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from fieldguide.learn import linear_probe
from fieldguide.learn.labels import map_labels
from fieldguide.learn.linear_probe import REGULARISATION, fit_probe, initialise_head
from fieldguide.learn.network import classifier_of, split_logits
from fieldguide.records.reader import RecordSet
from tests.learn.making import make_network
from tests.records.making import TAXONOMY


@pytest.mark.parametrize("num_present", [1, 2, 3])
def test_probe_separates_what_is_separable(num_present: int):
    generator = np.random.default_rng(0)
    labels = np.tile(np.arange(num_present) + 1, 20)
    features = (10 * labels[:, None] + generator.standard_normal((len(labels), 4))).astype(np.float32)
    features[np.arange(len(labels)), labels] += 20
    weight, bias = fit_probe(features, labels, 5)
    assert (weight.shape, weight.dtype, bias.shape) == ((5, 4), np.float32, (5,))
    if num_present > 1:
        assert np.array_equal((features @ weight.T + bias).argmax(1), labels)


def test_probe_is_the_regression_of_scikit_learn():
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 6, 400)
    features = (generator.standard_normal((400, 10)) + np.eye(6, 10)[labels]).astype(np.float32)
    weight, bias = fit_probe(features, labels, 6)
    scaler = StandardScaler().fit(features)
    oracle = LogisticRegression(C=1 / REGULARISATION, max_iter=500).fit(scaler.transform(features), labels)
    ours = log_softmax(features @ weight.T + bias, axis=1)
    np.testing.assert_allclose(ours, oracle.predict_log_proba(scaler.transform(features)), atol=0.02)


def test_memory_does_not_grow_with_photos_times_classes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(linear_probe, "MAX_ITERATIONS", 1)
    monkeypatch.setattr(linear_probe, "PIECE_VALUES", 10**5)
    num, num_classes = 20_000, 500
    labels = np.arange(num) % num_classes
    features = np.random.default_rng(0).standard_normal((num, 4)).astype(np.float32)
    tracemalloc.start()
    fit_probe(features, labels, num_classes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.25 * 4 * num * num_classes


def test_head_answers_like_the_regression(train: RecordSet):
    network = make_network()
    labels = map_labels(train, TAXONOMY.classes, TAXONOMY.ranks)
    # Features in which the species is easy to see.
    features = (np.random.default_rng(0).standard_normal((len(train), 1280)) * 0.1).astype(np.float32)
    features[np.arange(len(train)), labels[:, 0]] += 3
    initialise_head(network, features[:48], labels[:48])
    with torch.inference_mode():
        logits = split_logits(classifier_of(network.module)(torch.from_numpy(features)), network.spec)
    assert (logits["species"].argmax(1).numpy() == labels[:, 0]).mean() > 0.95
    assert (logits["genus"].argmax(1).numpy() == labels[:, 1]).mean() > 0.95
