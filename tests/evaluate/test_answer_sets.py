"""Short lists hold the true class as often as asked, and are no longer than that takes."""

from typing import Any

import numpy as np
import pytest
from mapie.classification import SplitConformalClassifier
from mapie.conformity_scores import RAPSConformityScore
from mapie.utils import _compute_classification_quantile
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from fieldguide.evaluate.answer_sets import PENALTY, choose_limit, count_members, find_reached


def draw(num: int, seed: int, num_classes: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_classes, num)
    scores = 2 * np.eye(num_classes)[labels] + rng.normal(size=(num, num_classes))
    return softmax(scores, axis=1).astype(np.float32), labels


@pytest.mark.parametrize("coverage", [0.6, 0.8, 0.9, 0.95])
def test_lists_hold_the_truth_as_often_as_asked(coverage: float) -> None:
    held = []
    for seed in range(40):
        (val, val_labels), (test, test_labels) = draw(200, seed), draw(1000, seed + 1000)
        limit = choose_limit(find_reached(val, val_labels), coverage)
        num_likely = count_members(test, limit)
        place = np.count_nonzero(test > test[np.arange(1000), test_labels][:, None], axis=1)
        held.append((place < num_likely).mean())
    assert coverage <= np.mean(held) + 0.005
    if coverage >= 0.9:
        # Below, the likeliest class alone, which is on every list, holds the truth more often than asked.
        assert np.mean(held) <= coverage + 0.03


def test_what_is_reached_counts_ties_in_order() -> None:
    probabilities = np.array([[0.4, 0.2, 0.2, 0.2]] * 4, np.float32)
    reached = [0.4, 0.6 + PENALTY, 0.8 + 2 * PENALTY, 1 + 3 * PENALTY]
    np.testing.assert_allclose(find_reached(probabilities, np.arange(4)), reached, atol=1e-6)
    assert find_reached(probabilities[:1], np.array([-1])) == [np.inf]
    assert count_members(probabilities[:1], 0.61 + PENALTY) == [2]
    assert count_members(probabilities[:1], 0.1) == [1]
    assert count_members(probabilities[:1], np.inf) == [4]


def test_too_few_photos_ask_for_all_classes() -> None:
    assert choose_limit(np.array([0.5, 0.6], np.float32), 0.9) == np.inf
    assert choose_limit(np.array([], np.float32), 0.9) == np.inf
    assert choose_limit(np.linspace(0.1, 0.9, 9, dtype=np.float32), 0.9) == pytest.approx(0.9)


class Probabilities(ClassifierMixin, BaseEstimator):
    """A classifier that was fitted before: its inputs are its answers."""

    classes_ = np.arange(12)

    def fit(self, *_: object) -> "Probabilities":
        return self

    def predict_proba(self, probabilities: np.ndarray) -> np.ndarray:
        return probabilities

    def predict(self, probabilities: np.ndarray) -> np.ndarray:
        best: np.ndarray = probabilities.argmax(axis=1)
        return best


class NoDraw(np.random.RandomState):
    """In place of the random step, which our lists do without."""

    def uniform(self, *, size: int, **_: object) -> np.ndarray:  # type: ignore[override]
        return np.zeros(size)


class OurPenalty(RAPSConformityScore):  # type: ignore[misc]
    """MAPIE's score with the penalty that we always have; it would choose one on a part of the photos."""

    def split_data(self, *data: Any) -> Any:
        super().split_data(*data)
        self.n_samples_ = len(data[0])
        return data

    def get_conformity_score_quantiles(self, scores: np.ndarray, levels: np.ndarray, *_: Any, **__: Any) -> Any:
        self.k_star, self.lambda_star = np.ones(1, np.int64), PENALTY
        scores = self._regularize_conformity_score(self.k_star, self.lambda_star, scores, self.cutoff)
        return _compute_classification_quantile(scores, levels)


@pytest.mark.parametrize("coverage", [0.6, 0.9, 0.97])
def test_lists_are_those_of_mapie_without_its_random_step(coverage: float) -> None:
    (val, val_labels), (test, _) = draw(300, 1), draw(500, 2)
    peer = SplitConformalClassifier(
        Probabilities(), confidence_level=coverage, conformity_score=OurPenalty(), random_state=NoDraw(0)
    )
    peer.conformalize(val, val_labels)
    _, members = peer.predict_set(test, conformity_score_params={"include_last_label": False})
    limit = choose_limit(find_reached(val, val_labels), coverage)
    differs = count_members(test, limit) != members[:, :, 0].sum(axis=1)
    # A sum that ends exactly at the mass is rounded differently.
    assert differs.mean() <= 0.002
