"""When a model answers: thresholds and short lists for each situation in which it is asked.

An answer of several photos, or one that knows of place and season, is sure of other things than one of a single photo:
each situation has thresholds of its own, chosen on validation photos asked about in that way. Where these are too few,
the strictest of all that were chosen hold, a photo is strange if it would be in every situation, and nothing is
promised.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt, PositiveInt

MOST_PHOTOS: Final = 3
"""Of a subject, that were asked about together; of more, nothing was measured."""


class Situation(StrEnum):
    """What a model is told of a subject."""

    ONE = "one"
    """One photo."""
    SEVERAL = "several"
    """Two photos, to MOST_PHOTOS."""
    ONE_PLACED = "one_placed"
    """One photo, and its place, its month or both."""
    SEVERAL_PLACED = "several_placed"
    """Several photos, and where or when they were taken."""

    @classmethod
    def of(cls, num_photos: int, is_placed: bool, most_photos: int = MOST_PHOTOS) -> "Situation | None":
        """The one of that many photos; None where they are more than `most_photos`."""
        if num_photos > most_photos:
            return None
        if num_photos > 1:
            return cls.SEVERAL_PLACED if is_placed else cls.SEVERAL
        return cls.ONE_PLACED if is_placed else cls.ONE


class MeasuredRisk(BaseModel):
    """How answers under a rule went on the test photos."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_photos: PositiveInt
    """Or subjects, where several photos made an answer."""
    risk: NonNegativeFloat
    """The share of them that got a wrong taxon."""
    risk_interval: tuple[NonNegativeFloat, NonNegativeFloat]
    """Of 95 %."""


class Rule(BaseModel):
    """When a model answers in one situation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    thresholds: dict[str, NonNegativeFloat]
    """By rank the least probability of a taxon that is named; above 1 where none is."""
    min_familiarity: float | None = None
    """Photos that look less familiar (familiar.py) are of nothing in the guide; None where too few photos tell."""
    set_limit: NonNegativeFloat | None = None
    """What a short list of the first rank may add up to (answer_sets.py), None where too few photos tell."""
    num_chosen_by: NonNegativeInt = 0
    """Validation answers that it was chosen by; 0: none were given in this situation, and nothing is promised."""
    tested: MeasuredRisk | None = None
    """None where no test photo was of the situation."""

    def asking(self, confidence: float) -> "Rule":
        """The same, were it to ask for that probability at every rank."""
        return self.model_copy(update={"thresholds": dict.fromkeys(self.thresholds, confidence)})

    def find_strange(self, familiarity: np.ndarray | None, num_photos: int) -> np.ndarray:
        """Which of `num_photos` look too little familiar to be named: bool [n].

        `familiarity` is float32 [n], None where it was not measured; then none do.
        """
        if familiarity is None or self.min_familiarity is None:
            return np.zeros(num_photos, bool)
        strange: np.ndarray = familiarity < np.float32(self.min_familiarity)
        return strange


class Rules(BaseModel):
    """When a model answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measured: dict[Situation, Rule] = {}
    """The situations in which there were validation photos enough."""
    fallback: Rule
    """In all others."""

    @classmethod
    def of(cls, measured: Mapping[Situation, Rule]) -> "Rules":
        """Those that were measured, at least one; elsewhere the strictest thresholds and the least familiarity."""
        ranks = next(iter(measured.values())).thresholds
        strictest = {rank: max(rule.thresholds[rank] for rule in measured.values()) for rank in ranks}
        least = [rule.min_familiarity for rule in measured.values() if rule.min_familiarity is not None]
        strange = min(least) if len(least) == len(measured) else None
        return cls(measured=dict(measured), fallback=Rule(thresholds=strictest, min_familiarity=strange))

    def with_test(self, scores: Mapping[str, Mapping[str, Any]]) -> "Rules":
        """These, with what `score_decision` found in each situation."""
        found = {
            name: MeasuredRisk.model_validate({key: of[key] for key in MeasuredRisk.model_fields})
            for name, of in scores.items()
        }
        measured = {of: rule.model_copy(update={"tested": found.get(of)}) for of, rule in self.measured.items()}
        return self.model_copy(update={"measured": measured})

    @classmethod
    def unproven(cls, ranks: Iterable[str], min_confidence: float) -> "Rules":
        """Of a model that was never evaluated."""
        return cls(fallback=Rule(thresholds=dict.fromkeys(ranks, min_confidence)))

    def find(self, situation: Situation | None) -> Rule:
        """The rule of a situation, None being one of which nothing can be known."""
        return self.measured.get(situation, self.fallback) if situation else self.fallback
