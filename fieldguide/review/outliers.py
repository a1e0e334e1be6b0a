"""Photos that are like no other: their nearest training photos are far away. Often no photo of the subject at all."""

import numpy as np

from fieldguide.evaluate.knn import find_neighbours
from fieldguide.review.examined import Examined

NEIGHBOURS = 10
"""Whose mean cosine distance counts (Kuan and Mueller, Back to the Basics: Revisiting Out-of-Distribution Detection
Baselines, 2022)."""
FAR = 3.5
"""Robust z-score above which a distance is called far (Iglewicz and Hoaglin, How to Detect and Handle Outliers,
1993)."""
SMALLEST = 1e-6
"""Distance, of photos that are the same but for rounding."""
NORMAL = 0.6745
"""Median absolute deviation of a normal distribution of deviation 1."""


def find_outliers(photos: Examined) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are far from all training photos, the farthest first, int64 [m], and their z-scores, float64 [m]."""
    train = np.flatnonzero(photos.is_train)
    if len(train) <= NEIGHBOURS:
        return np.empty(0, np.int64), np.empty(0)
    found, similarities = find_neighbours(photos.features[train], photos.features, NEIGHBOURS + 1)
    # A training photo is its own nearest; where a twin is found in its place, that one goes.
    is_self = train[found] == np.arange(len(photos))[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    distances = 1 - similarities[~is_self].reshape(len(photos), NEIGHBOURS).mean(axis=1)
    # Far distances lie wider apart than near ones; their logarithms are about normal.
    logs = np.log(distances.clip(SMALLEST))
    offsets = logs - np.median(logs)
    spread = np.median(np.abs(offsets))
    scores = NORMAL * offsets / spread if spread > 0 else np.zeros(len(photos))
    far = np.flatnonzero(scores > FAR)
    far = far[np.argsort(-scores[far], kind="stable")]
    return far, scores[far]
