"""Temperature scaling finds the temperature that was put in, and changes no answer."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from fieldguide.evaluate.calibration import COLDEST, HOTTEST, TemperatureFit, fit_temperature, to_probabilities
from fieldguide.evaluate.metrics import measure_reliability, negative_log_likelihood


def honest_answers(num: int, num_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is the true distribution of the labels that come with them."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=2, size=(num, num_classes)).astype(np.float32)
    draws = random.random((num, 1))
    labels = (softmax(logits, axis=1).cumsum(axis=1) < draws).sum(axis=1).clip(max=num_classes - 1)
    return logits, labels


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_finds_the_temperature_that_was_put_in(temperature: float):
    logits, labels = honest_answers(20_000, 8)
    assert fit_temperature(logits * np.float32(temperature), labels) == pytest.approx(temperature, rel=0.05)


def test_makes_boasting_honest_and_changes_no_answer():
    logits, labels = honest_answers(5_000, 8)
    boasting = logits * 5
    temperature = fit_temperature(boasting, labels)
    before, after = to_probabilities(boasting), to_probabilities(boasting, temperature)
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    errors, losses = [], []
    for shares in (before, after):
        is_right = shares.argmax(axis=1) == labels
        errors.append(measure_reliability(shares.max(axis=1), is_right, 15).ece)
        losses.append(negative_log_likelihood(shares[np.arange(len(labels)), labels]))
    assert errors[1] < errors[0] / 3
    assert losses[1] < losses[0]


@pytest.mark.parametrize(
    ("num", "num_classes", "factor"), [(500, 8, 0.1), (2000, 100, 1.7), (1000, 300, 4.0), (30, 5, 2.2), (2000, 8, 9.0)]
)
def test_finds_what_a_search_over_all_logits_finds(num: int, num_classes: int, factor: float):
    logits, labels = honest_answers(num, num_classes)
    logits *= np.float32(factor)

    def loss(temperature: float) -> float:
        return float(-log_softmax(logits / np.float32(temperature), axis=1)[np.arange(num), labels].mean())

    fit = TemperatureFit()
    for rows in np.array_split(np.arange(num), 7):
        fit.add(logits[rows], labels[rows])
    found = minimize_scalar(loss, bounds=(COLDEST, HOTTEST), method="bounded", options={"xatol": 1e-5})
    assert fit.temperature == pytest.approx(found.x, rel=2e-3)


@pytest.mark.parametrize(
    ("labels", "lowest", "highest"),
    # No photo; always right, so the surer the better; always wrong.
    [([], 1.0, 1.0), ([0, 0], COLDEST, 0.2), ([1, 1], HOTTEST - 0.1, HOTTEST)],
)
def test_edges(labels: list[int], lowest: float, highest: float):
    logits = np.tile(np.array([2.0, 1.0, 0.0], np.float32), (len(labels), 1))
    assert lowest <= fit_temperature(logits, np.array(labels, np.int64)) <= highest


def test_probabilities_keep_their_type_and_sum():
    probabilities = to_probabilities(np.array([[1000.0, 0.0], [-1000.0, 0.0]], np.float32), 0.5)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, [[1, 0], [0, 1]], atol=1e-6)
