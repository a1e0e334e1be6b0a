"""How often each photo is drawn, where some classes have many more photos than others."""

import numpy as np


def balance_weights(labels: np.ndarray, fraction: float) -> np.ndarray:
    """How often to draw each photo: (N / n_c) ^ fraction for a class of n_c of the N photos.

    `labels` int64 [N]; 0 draws photos evenly, 1 draws classes evenly. Returns float64 [N].
    """
    classes, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    assert len(classes) == len(counts)
    return (len(labels) / counts[inverse]) ** fraction
