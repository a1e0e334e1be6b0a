"""Temperature scaling: one number per model and rank that corrects its confidence and changes no answer.

Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2: divide all logits by the T that gives the
validation photos the highest likelihood.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

COLDEST, HOTTEST = 0.05, 20.0


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature in [0.05, 20] with the least negative log-likelihood; 1.0 where there are no photos.

    `logits` float32 [n, num_classes], `labels` int64 [n]. The likelihood has a single optimum in T.
    """
    if not len(labels):
        return 1.0
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.float32(np.exp(log_temperature))
        return float(-log_softmax(scaled, axis=1)[rows, labels].mean(dtype=np.float64))

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def to_probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """softmax(logits / temperature): float32 [n, num_classes]."""
    probabilities: np.ndarray = softmax(logits / np.float32(temperature), axis=1)
    return probabilities
