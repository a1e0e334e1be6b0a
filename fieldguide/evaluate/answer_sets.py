"""Short lists: the likeliest classes of a photo, as many as it takes to hold the true one in a given share of photos.

Regularised adaptive prediction sets (Angelopoulos, Bates, Malik and Jordan, ICLR 2021) without their random step: a
list takes classes, the likeliest first, while their probabilities, and PENALTY for each after the first, add up to no
more than a limit; the limit is the quantile, on the validation photos, of what it takes to reach the true class. It
then holds the true class in at least that share of photos, on average over photos drawn as those of validation were.

The penalty keeps the many classes of next to no probability off the list, which adaptive sets (Romano, Sesia and
Candès, NeurIPS 2020) need in order to add up to their mass. It is a constant: chosen on the validation photos, it would
cost the promise.
"""

import math
from typing import Final

import numpy as np

PENALTY: Final = 0.05


def find_reached(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What the classes down to the true one add up to, the likeliest first: float32 [n], inf where a label is below 0.

    `probabilities` are float32 [n, num_classes]; of equal ones the first comes first.
    """
    truth = probabilities[np.arange(len(labels)), labels][:, None]
    earlier = np.arange(probabilities.shape[1]) <= labels[:, None]
    is_reached = (probabilities > truth) | ((probabilities == truth) & earlier)
    sums = (probabilities * is_reached).sum(axis=1) + PENALTY * (np.count_nonzero(is_reached, axis=1) - 1)
    return np.where(labels < 0, np.inf, sums).astype(np.float32)


def count_members(probabilities: np.ndarray, limit: float, penalty: float = PENALTY) -> np.ndarray:
    """How many classes are on each photo's list, at least the likeliest: int64 [n]."""
    sums = np.cumsum(-np.sort(-probabilities, axis=1), axis=1) + penalty * np.arange(probabilities.shape[1])
    count: np.ndarray = np.maximum(1, np.count_nonzero(sums.astype(np.float32) <= np.float32(limit), axis=1))
    return count


def choose_limit(reached: np.ndarray, coverage: float) -> float:
    """The limit at which lists hold the true class in at least `coverage` of photos; inf if too few were seen.

    `reached` [n] is what it took to reach the true classes of the validation photos.
    """
    place = math.ceil((len(reached) + 1) * coverage)
    return float(np.sort(reached)[place - 1]) if 0 < place <= len(reached) else math.inf
