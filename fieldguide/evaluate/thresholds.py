"""How sure a model must be of a taxon at each rank, so that few of all photos get a wrong name.

Conformal risk control (Angelopoulos, Bates, Fisch, Lei and Schuster, ICLR 2024): of all photos, the share to which a
wrong taxon is given is at most `max_error` in expectation, for photos that are exchangeable with the validation photos:
drawn like them, in whatever order. It promises nothing for another place, season or camera, nor for each species by
itself. The best epoch and the temperatures, a number a rank, are chosen on the same validation photos, which flatters
these a little.

The method controls one number. Here it is a level, from 1 down to 0, and the thresholds of all ranks fall with it: that
of the first rank is the level, and a rank j steps broader may be wrong slope^j times as often: 1 - (1 - level) slope^j.
The loss of a photo is 1 once some rank is sure enough of a wrong taxon, whether or not a finer one speaks in its stead:
it never falls as the level does, as the method asks, and is never less than the error that is made.

The slope is 1, one threshold for all ranks, unless there are MIN_TO_SHAPE photos: then one in SHAPED_BY chooses the
slope that tells most, and only the others choose the level, so that the promise stands. (Choosing both on the same
photos would break it; Learn-then-Test, Angelopoulos et al. 2021, allows that with a correction for the number of tries,
at a price in photos which few have: at 124 photos and 5 % it lets 2 be wrong where this lets 5.)
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.evaluate.answers import Answers
from fieldguide.evaluate.rates import DIGITS
from fieldguide.evaluate.tree import climb

STEPS: Final = 400
"""Levels that are tried, evenly between 0 and 1."""
NEVER: Final = 1 + 1 / STEPS
"""The threshold that no answer reaches."""
SLOPES: Final = (1.0, 0.5, 2.0, 0.25, 4.0)
"""Of those that tell as much, the first is chosen."""
MIN_TO_SHAPE: Final = 500
SHAPED_BY: Final = 5


@dataclass(frozen=True)
class Claims:
    """The likeliest taxon of n photos at each rank, the finest first; `other` is none."""

    ranks: list[str]
    confidence: np.ndarray
    """Its probability: float32 [num_ranks, n]."""
    is_wrong: np.ndarray
    """Whether it is not the true one: bool [num_ranks, n]."""
    value: np.ndarray
    """What a name at each rank tells, in parts of a species: float64 [num_ranks]."""

    @classmethod
    def of(cls, answers: Answers) -> "Claims":
        """Those of a model's answers; a name tells the logarithm of the number of classes at its rank."""
        ranks = climb({rank: at_rank.classes for rank, at_rank in answers.ranks.items()})
        found = [answers.ranks[rank] for rank in ranks]
        candidates = [each.candidates for each in found]
        classes = np.log([1 + len(each.classes) for each in found])
        return cls(
            ranks,
            np.stack([each.confidence for each in candidates]),
            np.stack([each.named != at.labels for each, at in zip(candidates, found, strict=True)]),
            classes / classes[0],
        )

    def __getitem__(self, photos: np.ndarray) -> "Claims":
        return Claims(self.ranks, self.confidence[:, photos], self.is_wrong[:, photos], self.value)

    def __len__(self) -> int:
        return self.confidence.shape[1]


def choose_thresholds(val: Answers, max_error: float) -> dict[str, float]:
    """The lowest thresholds of all ranks that keep the promise on photos like those of `val`; NEVER if none do."""
    claims = Claims.of(val)
    slope, photos = 1.0, np.arange(len(claims))
    if len(claims) >= MIN_TO_SHAPE:
        apart = photos % SHAPED_BY == 0
        slope, photos = choose_slope(claims[photos[apart]], max_error), photos[~apart]
    level = choose_level(claims[photos], max_error, slope)
    return dict(zip(claims.ranks, place_thresholds(level, slope, len(claims.ranks)), strict=True))


def choose_familiarity(val: Answers, max_strange: float) -> float | None:
    """The familiarity below which a photo counts as strange; None if too few photos were seen, or none was measured.

    Of photos drawn as those of `val` that are of the model's own classes at the first rank, at most `max_strange` look
    less familiar, in expectation: a conformal p-value of at most that (Bates, Candès, Lei, Romano and Sesia, Testing
    for Outliers with Conformal p-values, Annals of Statistics, 2023). How many of all others do is not promised.
    """
    if val.familiarity is None:
        return None
    is_own = np.array([name != OTHER for name in val.first.classes])[val.first.labels]
    familiarity = np.sort(val.familiarity[is_own])
    place = math.floor(max_strange * (len(familiarity) + 1))
    return math.floor(float(familiarity[place - 1]) * 10**DIGITS) / 10**DIGITS if place else None


def choose_slope(claims: Claims, max_error: float) -> float:
    """The one of SLOPES under which names tell most."""
    return max(SLOPES, key=lambda slope: _told(claims, choose_level(claims, max_error, slope), slope))


def choose_level(claims: Claims, max_error: float, slope: float) -> float:
    """The lowest level that keeps the promise; NEVER if none does."""
    chosen, num = NEVER, len(claims)
    for step in range(STEPS, -1, -1):
        wrong = (_sure(claims, step / STEPS, slope) & claims.is_wrong).any(axis=0)
        if (np.count_nonzero(wrong) + 1) / (num + 1) > max_error:
            break
        chosen = step / STEPS
    return chosen


def place_thresholds(level: float, slope: float, num_ranks: int) -> list[float]:
    """The thresholds of ranks, the finest first, at a level."""
    if level > 1:
        return [NEVER] * num_ranks
    return [round(max(0.0, 1 - (1 - level) * slope**place), DIGITS) for place in range(num_ranks)]


def _sure(claims: Claims, level: float, slope: float) -> np.ndarray:
    thresholds = np.array(place_thresholds(level, slope, len(claims.ranks)))
    sure: np.ndarray = claims.confidence >= thresholds[:, None]
    return sure


def _told(claims: Claims, level: float, slope: float) -> float:
    sure = _sure(claims, level, slope)
    finest = np.where(sure.any(axis=0), claims.value[sure.argmax(axis=0)], 0)
    return float(finest.sum())
