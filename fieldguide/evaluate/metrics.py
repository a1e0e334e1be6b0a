"""How often a model is right, and how far its confidence is from that. All rates are in [0, 1].

Everything here takes plain arrays of n photos.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta
from sklearn.metrics import f1_score

LEVEL = 0.95
"""Of intervals."""
RESAMPLES = 200
SMALLEST = 1e-12
"""Probability that a true class gets at least, so that one certain mistake does not make the likelihood infinite."""


@dataclass(frozen=True)
class Reliability:
    """Photos sorted into bins of equal width by confidence, the probability of the first answer.

    The arrays are float64 [num_bins] (`counts` int64); empty bins have confidence and accuracy 0.
    """

    counts: np.ndarray
    confidence: np.ndarray
    """Mean confidence in each bin."""
    accuracy: np.ndarray
    """Share of photos in each bin whose first answer is right."""

    @property
    def ece(self) -> float:
        """Expected calibration error: the mean gap between confidence and accuracy, weighted by photos.

        Guo et al., On Calibration of Modern Neural Networks, ICML 2017, eq. 3.
        """
        return float(np.abs(self.confidence - self.accuracy) @ self.counts / max(1, self.counts.sum()))


def find_best(scores: np.ndarray, num: int) -> np.ndarray:
    """The `num` largest of each row, the largest first, of equals the first: int64 [n, min(num, num_classes)]."""
    left, rows = scores.copy(), np.arange(len(scores))
    best = np.empty((len(scores), min(num, scores.shape[1])), np.int64)
    for column in range(best.shape[1]):
        best[:, column] = left.argmax(axis=1)
        left[rows, best[:, column]] = -np.inf
    return best


def place_truth(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Place of the true class among each photo's answers: int64 [n], 0 where it is the first.

    `scores` [n, num_classes] are logits or probabilities; of equal ones that with the lower index comes first.
    """
    truth = scores[np.arange(len(labels)), labels][:, None]
    earlier = np.arange(scores.shape[1]) < labels[:, None]
    place: np.ndarray = np.count_nonzero((scores > truth) | ((scores == truth) & earlier), axis=1)
    return place


def macro_f1(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Mean F1 over the classes that have photos here, each counting the same however rare it is."""
    score = f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0)
    return float(score)


def negative_log_likelihood(truth: np.ndarray) -> float:
    """Mean of -ln(probability of the true class), nats; `truth` float [n] are those probabilities."""
    return float(-np.log(np.maximum(truth.astype(np.float64), SMALLEST)).mean())


def measure_reliability(confidence: np.ndarray, is_right: np.ndarray, num_bins: int) -> Reliability:
    """Sort photos into `num_bins` bins (low, high] of confidence, the first of which includes 0.

    `confidence` float [n] is the probability of the first answer, `is_right` bool [n] whether that is true.
    """
    confidence = confidence.astype(np.float64)
    # Bins are open below and closed above, as in the paper.
    bins = np.clip(np.ceil(confidence * num_bins).astype(np.int64) - 1, 0, num_bins - 1)
    counts = np.bincount(bins, minlength=num_bins)
    filled = np.maximum(counts, 1)
    return Reliability(
        counts=counts,
        confidence=np.bincount(bins, confidence, num_bins) / filled,
        accuracy=np.bincount(bins, is_right, num_bins) / filled,
    )


def find_ece_interval(confidence: np.ndarray, is_right: np.ndarray, num_bins: int) -> tuple[float, float]:
    """The 95 % interval of the expected calibration error: the percentiles of RESAMPLES bootstrap samples, which have a
    little more of it than the photos themselves (Efron and Tibshirani, An Introduction to the Bootstrap, 1993)."""
    return _resample(
        len(confidence), lambda chosen: measure_reliability(confidence[chosen], is_right[chosen], num_bins).ece
    )


def find_mean_interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of `values` [n], as percentiles of RESAMPLES bootstrap samples."""
    return _resample(len(values), lambda chosen: float(values[chosen].mean()))


def _resample(num: int, measured: Callable[[np.ndarray], float]) -> tuple[float, float]:
    draw = np.random.default_rng(0)
    found = [measured(draw.integers(0, num, num)) for _ in range(RESAMPLES)]
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return low, high


def measure(place: np.ndarray, predicted: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """`top1`, `top5` and `macro_f1` of at least one photo; all int64 [n], `place` as `place_truth` gives it."""
    return {
        "top1": float((place < 1).mean()),
        "top5": float((place < 5).mean()),
        "macro_f1": macro_f1(predicted, labels),
    }


def find_interval(num_hits: int, num: int) -> tuple[float, float]:
    """The exact 95 % interval of a rate (Clopper and Pearson, 1934)."""
    low = float(beta.ppf((1 - LEVEL) / 2, num_hits, num - num_hits + 1)) if num_hits else 0.0
    high = float(beta.ppf((1 + LEVEL) / 2, num_hits + 1, num - num_hits)) if num_hits < num else 1.0
    return low, high
