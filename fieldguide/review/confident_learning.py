"""Labels that a classifier doubts with reason: confident learning.

Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 2021, section 3.1 and
method 2 of section 3.2 (the off-diagonal entries of the confident joint).
"""

import numpy as np

SLACK = 1e-6
"""By which a probability may fall short of a threshold: both are rounded."""
NEVER = 2.0
"""Threshold of a class that no label names."""


def find_label_issues(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose label is likely wrong, the most suspicious first, and the class that each is likely of.

    `probabilities` float [n, num_classes] come from a classifier that did not learn from the row, `labels` int64 [n].
    A row counts for a class if its probability is at least the mean of those that are labelled so; if it counts for
    several, for the likeliest class of all. It is an issue if that is not its label, nor its label the likeliest.
    Both results are int64 [m].
    """
    rows = np.arange(len(labels))
    own = probabilities[rows, labels]
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    sums = np.bincount(labels, own, minlength=probabilities.shape[1])
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), NEVER)
    is_confident = probabilities >= thresholds - SLACK
    num_confident = is_confident.sum(axis=1)
    likeliest = probabilities.argmax(axis=1)
    guess = np.where(num_confident > 1, likeliest, is_confident.argmax(axis=1))
    is_issue = (num_confident > 0) & (guess != labels) & (own + SLACK < probabilities[rows, likeliest])
    found = np.flatnonzero(is_issue)
    margin = own[found] - probabilities[found, guess[found]]
    found = found[np.argsort(margin, kind="stable")]
    return found, guess[found]
