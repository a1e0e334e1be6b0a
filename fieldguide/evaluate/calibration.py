"""Temperature scaling: one number per model and rank that corrects its confidence and changes no answer.

Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2: divide all logits by the T that gives the
validation photos the highest likelihood.
"""

from collections.abc import Iterator

import numpy as np
from scipy.interpolate import CubicHermiteSpline
from scipy.optimize import brentq
from scipy.special import softmax

COLDEST, HOTTEST = 0.05, 20.0

INVERSES = np.sqrt(2) ** np.arange(2 * np.ceil(np.log2(HOTTEST / COLDEST)) + 1) / HOTTEST
"""1/T from the hottest to beyond the coldest, each the square root of two times the one before."""
PIECE_VALUES = 2**18
"""Logits looked at together: what is computed of them stays in a processor's cache."""


def in_pieces(logits: np.ndarray) -> Iterator[slice]:
    """Rows of [n, num_classes] to look at together, so that memory does not grow with photos times classes."""
    step = max(1, PIECE_VALUES // max(1, logits.shape[1]))
    return (slice(start, start + step) for start in range(0, len(logits), step))


class TemperatureFit:
    """Finds the temperature with the least negative log-likelihood from logits that are seen once, batch by batch.

    With b = 1/T, the loss of a photo is log(sum(exp(b z))) - b z_label, which is convex in b. Its first and second
    derivative are added up at every b of INVERSES; between two of those a cubic has the same values and slopes as the
    first derivative, and the temperature is where it is zero (found within 0.1 %).
    """

    def __init__(self) -> None:
        self._slope = np.zeros(len(INVERSES))
        self._curvature = np.zeros(len(INVERSES))

    def add(self, logits: np.ndarray, labels: np.ndarray) -> None:
        """Take in some photos: `logits` float32 [n, num_classes], `labels` int64 [n]."""
        for rows in in_pieces(logits):
            z = logits[rows] - logits[rows].max(axis=1, keepdims=True)
            truth = z[np.arange(len(z)), labels[rows]].astype(np.float64)
            squares = z * z
            powers = [np.exp(z * np.float32(inverse)) for inverse in INVERSES[:2]]
            for step in range(len(INVERSES)):
                # Two steps up, the inverse temperature is twice as large and the exponential its square.
                power = powers[step % 2]
                total = power.sum(axis=1, dtype=np.float64)
                mean = np.einsum("ij,ij->i", power, z) / total
                self._slope[step] += (mean - truth).sum()
                self._curvature[step] += (np.einsum("ij,ij->i", power, squares) / total - mean * mean).sum()
                np.multiply(power, power, out=power)

    @property
    def temperature(self) -> float:
        """In [0.05, 20]; 1.0 if there were no photos, the coldest if every one is answered right."""
        if not self._slope.any() and not self._curvature.any():
            return 1.0
        rising = self._slope > 0
        if not rising.any():
            return COLDEST
        place = int(rising.argmax())
        if place == 0:
            return HOTTEST
        pair = slice(place - 1, place + 1)
        logs = np.log(INVERSES[pair])
        slope = CubicHermiteSpline(logs, self._slope[pair], self._curvature[pair] * INVERSES[pair])
        return float(np.clip(np.exp(-brentq(slope, *logs)), COLDEST, HOTTEST))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature for `logits` float32 [n, num_classes] and `labels` int64 [n], as TemperatureFit finds it."""
    fit = TemperatureFit()
    fit.add(logits, labels)
    return fit.temperature


def to_probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """softmax(logits / temperature): float32 [n, num_classes]."""
    probabilities: np.ndarray = softmax(logits / np.float32(temperature), axis=1)
    return probabilities
