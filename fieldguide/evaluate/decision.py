"""When a model may answer: the confidence below which it says nothing, so that few answers are wrong.

Conformal risk control (Angelopoulos, Bates, Fisch, Lei and Schuster, ICLR 2024): of all photos, the share to which a
wrong taxon is given is at most `max_error` in expectation, for photos that are exchangeable with the validation photos:
drawn like them, in whatever order. It promises nothing for another place, season or camera, nor for each species by
itself. The best epoch and the temperatures, a number a rank, are chosen on the same validation photos, which flatters
these a little.

A higher threshold turns a species into its genus, which may then be the wrong one where the species was right. So the
loss of a threshold is the worst of itself and of all higher ones, which never rises with it, as the method asks.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from fieldguide.evaluate.answer_sets import choose_mass
from fieldguide.evaluate.answers import Answers, RankAnswers
from fieldguide.evaluate.metrics import find_interval
from fieldguide.evaluate.scores import DIGITS
from fieldguide.evaluate.tree import Conclusions, Verdict, conclude

log = logging.getLogger(__name__)

STEPS: Final = 400
"""Thresholds that are tried, evenly between 0 and 1."""
NEVER: Final = 1 + 1 / STEPS
"""The threshold that no answer reaches."""
NONE: Final = "none"
"""In place of a rank: no taxon is named."""


@dataclass(frozen=True)
class Decision:
    """When a model answers."""

    min_confidence: float
    """The least probability of a taxon that is named, the same at every rank; above 1 where it may name none."""
    max_error: float
    """The share of photos that may get a wrong taxon."""
    num_photos: int
    """Validation photos that it was chosen by."""


def say(answers: Answers, min_confidence: float) -> Conclusions:
    """What is said of the photos that `answers` are about."""
    candidates = {rank: at_rank.candidates for rank, at_rank in answers.ranks.items()}
    return conclude(candidates, {rank: at_rank.classes for rank, at_rank in answers.ranks.items()}, min_confidence)


def find_wrong(said: Conclusions, ranks: Mapping[str, RankAnswers]) -> np.ndarray:
    """Which photos are given a wrong taxon: bool [n]. One whose true class the model lacks at that rank is wrong."""
    wrong = np.zeros(len(said.places), bool)
    for rank, at_rank in ranks.items():
        here = (said.ranks == rank) & (said.verdicts == Verdict.TAXON)
        wrong[here] = (at_rank.labels != said.places)[here]
    return wrong


def decide(model: str, val: Answers | None, max_error: float) -> Decision:
    """The lowest threshold that keeps the promise, by what `model` says of its validation photos; None: it has none.

    With fewer than 1 / max_error - 1 of them no threshold does; that is said.
    """
    chosen, num_photos = (choose_threshold(val, max_error), len(val.indices)) if val else (NEVER, 0)
    if chosen == NEVER:
        log.warning(
            "%s names nothing: %d validation photos do not show that at most %g of photos get a wrong name; "
            "bring more, or raise evaluate.max_error",
            model,
            num_photos,
            max_error,
        )
    return Decision(chosen, max_error, num_photos)


def choose_threshold(val: Answers, max_error: float) -> float:
    """The lowest threshold that keeps the promise; NEVER if none does."""
    num_photos, chosen = len(val.indices), NEVER
    wrong = np.zeros(num_photos, bool)
    for step in range(STEPS, -1, -1):
        wrong |= find_wrong(say(val, step / STEPS), val.ranks)
        if (np.count_nonzero(wrong) + 1) / (num_photos + 1) > max_error:
            break
        chosen = step / STEPS
    return chosen


def choose_masses(val: Answers | None, ranks: Iterable[str], coverage: float) -> dict[str, float]:
    """The mass of the short lists at each rank, by answers to validation photos; None: there are none."""
    return {rank: choose_mass(val.ranks[rank].reached, coverage) if val else 1.0 for rank in ranks}


def score_lists(test: Answers, coverage: float, masses: Mapping[str, float]) -> dict[str, Any]:
    """How short lists do on the test photos: how long they are at the first rank, how often they hold the truth."""
    held = {rank: _share_held(at_rank, masses[rank]) for rank, at_rank in test.ranks.items()}
    return {
        "set_target": coverage,
        "set_mass": round(next(iter(masses.values())), DIGITS),
        "set_size": round(float(test.first.num_likely.mean()), DIGITS),
        "set_coverage": {rank: round(share, DIGITS) for rank, share in held.items()},
    }


def _share_held(answers: RankAnswers, mass: float) -> float:
    # The likeliest is on every list, whatever the mass.
    return float(((answers.reached <= np.float32(mass)) | answers.is_right).mean())


def score_decision(test: Answers, decision: Decision) -> dict[str, Any]:
    """How a decision does on the test photos: threshold, coverage by rank, wrong answers with their interval."""
    said = say(test, decision.min_confidence)
    is_taxon, num = said.verdicts == Verdict.TAXON, len(said.places)
    num_wrong, num_said = int(find_wrong(said, test.ranks).sum()), int(is_taxon.sum())
    coverage = {rank: float((is_taxon & (said.ranks == rank)).mean()) for rank in test.ranks}
    return {
        "max_error": decision.max_error,
        "min_confidence": round(decision.min_confidence, DIGITS),
        "num_chosen_by": decision.num_photos,
        "coverage": {rank: round(share, DIGITS) for rank, share in (coverage | {NONE: 1 - num_said / num}).items()},
        "risk": round(num_wrong / num, DIGITS),
        "risk_interval": [round(bound, DIGITS) for bound in find_interval(num_wrong, num)],
        "accuracy": round(1 - num_wrong / num_said, DIGITS) if num_said else None,
    }
