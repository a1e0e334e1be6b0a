"""How often a model is right, and how far its confidence is from that. All rates are in [0, 1].

Everything here takes plain arrays: `probabilities` float [n, num_classes] whose rows add up to 1, `labels` int64 [n].
"""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import f1_score

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


def place_truth(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Place of the true class among each photo's answers: int64 [n], 0 where it is the first.

    Of equally probable classes the one with the lower index comes first.
    """
    truth = probabilities[np.arange(len(labels)), labels][:, None]
    earlier = np.arange(probabilities.shape[1]) < labels[:, None]
    place: np.ndarray = np.count_nonzero((probabilities > truth) | ((probabilities == truth) & earlier), axis=1)
    return place


def macro_f1(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Mean F1 over the classes that have photos here, each counting the same however rare it is."""
    score = f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0)
    return float(score)


def negative_log_likelihood(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean of -ln(probability of the true class), nats."""
    truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(truth, SMALLEST)).mean())


def measure_reliability(probabilities: np.ndarray, labels: np.ndarray, num_bins: int) -> Reliability:
    """Sort photos by confidence into `num_bins` bins (low, high], the first of which includes 0."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    is_right = probabilities.argmax(axis=1) == labels
    # Bins are open below and closed above, as in the paper.
    bins = np.clip(np.ceil(confidence * num_bins).astype(np.int64) - 1, 0, num_bins - 1)
    counts = np.bincount(bins, minlength=num_bins)
    filled = np.maximum(counts, 1)
    return Reliability(
        counts=counts,
        confidence=np.bincount(bins, confidence, num_bins) / filled,
        accuracy=np.bincount(bins, is_right, num_bins) / filled,
    )


def measure(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """`top1`, `top5` and `macro_f1` of at least one photo."""
    place = place_truth(probabilities, labels)
    return {
        "top1": float((place < 1).mean()),
        "top5": float((place < 5).mean()),
        "macro_f1": macro_f1(probabilities.argmax(axis=1), labels),
    }
