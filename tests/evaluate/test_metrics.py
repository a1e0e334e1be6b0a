"""Metrics against hand-made cases and against torchmetrics and scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import log_loss, top_k_accuracy_score
from torchmetrics.functional.classification import multiclass_calibration_error, multiclass_f1_score

from fieldguide.evaluate.metrics import (
    find_ece_interval,
    macro_f1,
    measure,
    measure_reliability,
    negative_log_likelihood,
    place_truth,
)


def make_case(seed: int, num_photos: int, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(num_classes), random.integers(0, num_classes, num_photos - num_classes)])
    logits = random.normal(size=(num_photos, num_classes)) + 2 * np.eye(num_classes)[labels]
    return softmax(logits, axis=1).astype(np.float32), labels


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_the_libraries(seed: int):
    probabilities, labels = make_case(seed, 200, 12)
    predicted, truth = probabilities.argmax(axis=1), probabilities[np.arange(200), labels]
    measured = measure(place_truth(probabilities, labels), predicted, labels)
    classes = np.arange(12)
    for k in (1, 5):
        theirs = top_k_accuracy_score(labels, probabilities, k=k, labels=classes)
        assert measured[f"top{k}"] == pytest.approx(theirs)
    tensors = torch.from_numpy(probabilities), torch.from_numpy(labels)
    assert measured["macro_f1"] == pytest.approx(multiclass_f1_score(*tensors, num_classes=12).item())
    theirs = multiclass_calibration_error(*tensors, num_classes=12, n_bins=15, norm="l1").item()
    assert measure_reliability(probabilities.max(axis=1), predicted == labels, 15).ece == pytest.approx(
        theirs, abs=1e-6
    )
    theirs = log_loss(labels, probabilities, labels=classes)
    assert negative_log_likelihood(truth) == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize(
    ("row", "label", "place"),
    [
        ([0.7, 0.2, 0.1], 0, 0),
        ([0.7, 0.2, 0.1], 2, 2),
        ([0.4, 0.4, 0.2], 0, 0),
        ([0.4, 0.4, 0.2], 1, 1),
    ],
)
def test_place_of_the_truth_breaks_ties_by_index(row: list[float], label: int, place: int):
    assert place_truth(np.array([row]), np.array([label])).tolist() == [place]


def test_macro_f1_counts_only_classes_with_photos():
    # Class 2 has no photo here: taking a photo of class 1 for it costs class 1 alone.
    assert macro_f1(np.array([0, 0, 2]), np.array([0, 0, 1])) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("confidence", "is_right", "ece"),
    [
        ([1.0, 1.0], [True, True], 0.0),
        ([1.0, 1.0], [True, False], 0.5),
        ([0.8, 0.8, 0.8, 0.8, 0.8], [1, 1, 1, 1, 0], 0),
    ],
)
def test_expected_calibration_error(confidence: list[float], is_right: list[bool], ece: float):
    assert measure_reliability(np.array(confidence), np.array(is_right, bool), 15).ece == pytest.approx(ece, abs=1e-9)


@given(st.lists(st.tuples(st.floats(0.5, 1), st.booleans()), min_size=1, max_size=50), st.integers(1, 20))
def test_reliability_loses_no_photo(photos: list[tuple[float, bool]], num_bins: int):
    confidence, is_right = (np.array(column) for column in zip(*photos, strict=True))
    reliability = measure_reliability(confidence, is_right, num_bins)
    assert reliability.counts.sum() == len(photos)
    assert 0 <= reliability.ece <= 1
    filled = reliability.counts > 0
    bins = np.arange(num_bins)[filled]
    assert (reliability.confidence[filled] > bins / num_bins - 1e-9).all()
    assert (reliability.confidence[filled] <= (bins + 1) / num_bins + 1e-9).all()


def test_a_certain_mistake_has_a_finite_likelihood():
    assert negative_log_likelihood(np.array([0.0])) == pytest.approx(27.63, abs=0.01)


def test_the_interval_of_the_calibration_error_shrinks_with_photos():
    draw = np.random.default_rng(1)
    widths = []
    for num in (30, 3000):
        confidence = draw.uniform(0.5, 1, num)
        is_right = draw.random(num) < confidence - 0.1  # 10 points too sure
        low, high = find_ece_interval(confidence, is_right, 10)
        assert low < high
        widths.append(high - low)
        if num == 3000:
            assert low < 0.1 < high + 0.02
    assert widths[1] < widths[0] / 3
