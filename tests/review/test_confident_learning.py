"""The same labels are doubted as by cleanlab, on the same probabilities."""

import numpy as np
import pytest
from cleanlab.filter import find_label_issues as find_by_cleanlab

from fieldguide.review.confident_learning import find_label_issues


def draw(num: int, num_classes: int, sharpness: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and labels of which some are wrong; every class has photos."""
    random = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(num_classes), random.integers(0, num_classes, num - num_classes)])
    logits = random.normal(size=(num, num_classes)) + sharpness * np.eye(num_classes)[truth]
    labels = np.where(random.random(num) < 0.1, random.integers(0, num_classes, num), truth)
    labels[:num_classes] = np.arange(num_classes)
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("num", "num_classes", "sharpness"), [(60, 2, 1.0), (400, 5, 2.0), (600, 30, 3.0), (50, 4, 0)])
def test_the_set_is_cleanlabs(num: int, num_classes: int, sharpness: float, seed: int):
    probabilities, labels = draw(num, num_classes, sharpness, seed)
    found, _ = find_label_issues(probabilities, labels)
    expected = find_by_cleanlab(labels, probabilities, filter_by="confident_learning", n_jobs=1)
    assert sorted(found.tolist()) == np.flatnonzero(expected).tolist()


PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.05, 0.95], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("labels", "issues", "suggested"),
    [
        ([0, 0, 1, 1, 1, 0], [], []),
        # Row 4 counts for class 1, and stands under 0.
        ([0, 0, 1, 1, 0, 0], [4], [1]),
        # The surer the other class, the earlier in the list.
        ([0, 0, 1, 0, 0, 1], [4, 3], [1, 1]),
    ],
)
def test_issues_are_listed_with_the_class_they_count_for(labels: list[int], issues: list[int], suggested: list[int]):
    found, guesses = find_label_issues(PROBABILITIES, np.array(labels))
    assert (found.tolist(), guesses.tolist()) == (issues, suggested)


def test_a_class_without_photos_is_suggested_to_nobody():
    probabilities = np.array([[0.2, 0.0, 0.8], [0.9, 0.1, 0.0], [0.1, 0.9, 0.0]])
    found, _ = find_label_issues(probabilities, np.array([0, 0, 1]))
    assert found.tolist() == []
