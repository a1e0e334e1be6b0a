"""What the frozen embeddings know by themselves: the labels of the nearest training photos.

A floor for the trained networks: a model that does not beat it has learnt nothing that the backbone did not know.
"""

import numpy as np
from sklearn.preprocessing import normalize

from fieldguide.evaluate.metrics import find_best

NO_VOTES = 1e-6
"""Share given to classes that no neighbour has, so that their logits are finite."""
PIECE_ROWS = 8192
"""Training photos that are compared with at once."""


def find_neighbours(train: np.ndarray, queries: np.ndarray, num: int) -> tuple[np.ndarray, np.ndarray]:
    """The `num` nearest rows of `train` [m, dim] for each row of `queries` [n, dim], by cosine.

    Returns their indices int64 [n, num] and cosine similarities float32 [n, num], the nearest first, of equals the
    first. `train` may be a mapped file: a piece of it is in memory at a time.
    """
    num = min(num, len(train))
    if not len(queries):
        return np.empty((0, num), np.int64), np.empty((0, num), np.float32)
    indices: np.ndarray = np.empty((len(queries), 0), np.int64)
    similarities: np.ndarray = np.empty((len(queries), 0), np.float32)
    asked = normalize(np.asarray(queries, np.float32))
    for start in range(0, len(train), PIECE_ROWS):
        piece = asked @ normalize(np.asarray(train[start : start + PIECE_ROWS], np.float32)).T
        nearest = find_best(piece, num)
        indices = np.concatenate([indices, nearest + start], axis=1)
        similarities = np.concatenate([similarities, np.take_along_axis(piece, nearest, axis=1)], axis=1)
        order = np.argsort(-similarities, axis=1, kind="stable")[:, :num]
        indices, similarities = (np.take_along_axis(each, order, axis=1) for each in (indices, similarities))
    return indices, similarities


def vote(labels: np.ndarray, similarities: np.ndarray, num_classes: int, temperature: float) -> np.ndarray:
    """Log of each class's share of the votes: float32 [n, num_classes].

    A neighbour's vote is exp(similarity / temperature), as in Wu et al., Unsupervised Feature Learning via
    Non-Parametric Instance Discrimination, CVPR 2018, section 3.4. `labels` int64 [n, k] and `similarities`
    float32 [n, k] are those of the neighbours.
    """
    weights = np.exp((similarities - similarities.max(axis=1, keepdims=True)) / temperature)
    shares = np.zeros((len(labels), num_classes), np.float32)
    np.add.at(shares, (np.arange(len(labels))[:, None], labels), weights / weights.sum(axis=1, keepdims=True))
    logits: np.ndarray = np.log(shares + NO_VOTES)
    return logits
