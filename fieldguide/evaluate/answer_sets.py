"""Short lists: the likeliest classes of a photo, as many as it takes to hold the true one in a given share of photos.

Adaptive prediction sets (Romano, Sesia and Candès, NeurIPS 2020) without their random step: a list takes classes, the
likeliest first, while their probabilities add up to no more than a mass; the mass is the quantile, on the validation
photos, of what it takes to reach the true class. It then holds the true class in at least that share of photos, on
average over photos drawn as those of validation were.
"""

import math

import numpy as np


def find_reached(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What the classes down to the true one add up to, the likeliest first: float32 [n], 1 where a label is below 0.

    `probabilities` are float32 [n, num_classes]; of equal ones the first comes first.
    """
    truth = probabilities[np.arange(len(labels)), labels][:, None]
    earlier = np.arange(probabilities.shape[1]) <= labels[:, None]
    is_reached = (probabilities > truth) | ((probabilities == truth) & earlier)
    reached = np.where(labels < 0, 1, (probabilities * is_reached).sum(axis=1))
    return np.minimum(reached, 1).astype(np.float32)


def count_members(probabilities: np.ndarray, mass: float) -> np.ndarray:
    """How many classes are on each photo's list, at least the likeliest: int64 [n]."""
    sums = np.cumsum(-np.sort(-probabilities, axis=1), axis=1)
    count: np.ndarray = np.maximum(1, np.count_nonzero(sums <= np.float32(mass), axis=1))
    return count


def choose_mass(reached: np.ndarray, coverage: float) -> float:
    """The mass at which lists hold the true class in a share of at least `coverage` of photos; 1 if too few were seen.

    `reached` [n] is what it took to reach the true classes of the validation photos.
    """
    place = math.ceil((len(reached) + 1) * coverage)
    return float(np.sort(reached)[place - 1]) if 0 < place <= len(reached) else 1.0
