"""What a model says under a rule, and how that does on photos whose true taxa are known."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from fieldguide.evaluate.answer_sets import choose_limit
from fieldguide.evaluate.answers import Answers, RankAnswers
from fieldguide.evaluate.rates import DIGITS, mean, rate, rates
from fieldguide.evaluate.rules import Rule
from fieldguide.evaluate.scores import ScoreRules
from fieldguide.evaluate.thresholds import NEVER, choose_familiarity, choose_thresholds
from fieldguide.evaluate.tree import Conclusions, Verdict, conclude
from fieldguide.split.frequency import Frequency

log = logging.getLogger(__name__)

NONE: Final = "none"
"""In place of a rank: no taxon is named."""


def say(answers: Answers, rule: Rule) -> Conclusions:
    """What is said of the photos that `answers` are about."""
    candidates = {rank: at_rank.candidates for rank, at_rank in answers.ranks.items()}
    classes = {rank: at_rank.classes for rank, at_rank in answers.ranks.items()}
    return conclude(candidates, classes, rule.thresholds, rule.find_strange(answers.familiarity, len(answers.indices)))


def find_wrong(said: Conclusions, ranks: Mapping[str, RankAnswers]) -> np.ndarray:
    """Which photos are given a wrong taxon: bool [n]. One whose true class the model lacks at that rank is wrong."""
    wrong = np.zeros(len(said.places), bool)
    for rank, at_rank in ranks.items():
        here = (said.ranks == rank) & (said.verdicts == Verdict.TAXON)
        wrong[here] = (at_rank.labels != said.places)[here]
    return wrong


def decide(model: str, val: Answers | None, ranks: Sequence[str], rules: ScoreRules) -> Rule:
    """The rule by what `model` says of its validation photos; None: it has none, and names nothing.

    Fewer than 1 / max_error - 1 of them let it name nothing either; that is said. The first of `ranks` has the short
    list.
    """
    num_photos = len(val.indices) if val else 0
    thresholds = choose_thresholds(val, rules.max_error) if val else dict.fromkeys(ranks, NEVER)
    if min(thresholds.values()) == NEVER:
        log.warning(
            "%s names nothing: %d validation photos do not show that at most %g of photos get a wrong name; "
            "bring more, or raise evaluate.max_error",
            model,
            num_photos,
            rules.max_error,
        )
    if not val:
        return Rule(thresholds=thresholds)
    return Rule(
        thresholds=thresholds,
        min_familiarity=choose_familiarity(val, rules.max_strange),
        set_limit=_finite(choose_limit(val.first.reached, rules.set_coverage)),
        num_chosen_by=num_photos,
    )


def choose_limits(val: Answers | None, ranks: Sequence[str], coverage: float) -> dict[str, float]:
    """The limits of short lists at each rank, by answers to validation photos; None: there are none."""
    return {rank: choose_limit(val.ranks[rank].reached, coverage) if val else math.inf for rank in ranks}


def score_lists(
    test: Answers, coverage: float, limits: Mapping[str, float], frequencies: np.ndarray | None = None
) -> dict[str, Any]:
    """How short lists do on the test photos: how long they are at the first rank, how often they hold the truth.

    `frequencies` [n] name how often each photo's class is among the training photos (split/frequency.py).
    """
    held = {rank: _held(at_rank, limits[rank]) for rank, at_rank in test.ranks.items()}
    first = next(iter(held.values()))
    groups = {} if frequencies is None else {str(name): first[frequencies == name] for name in Frequency}
    by_frequency = {name: rate("coverage", of) | {"num_photos": len(of)} for name, of in groups.items() if len(of)}
    return {
        "set_target": coverage,
        "set_limit": _finite(next(iter(limits.values()))),
        **mean("set_size", test.first.num_likely),
        **rates("set_coverage", held),
        **({"set_coverage_by_frequency": by_frequency} if by_frequency else {}),
    }


def _held(answers: RankAnswers, limit: float) -> np.ndarray:
    # The likeliest is on every list, and a list without end holds all classes that there are.
    held: np.ndarray = (np.isfinite(answers.reached) & (answers.reached <= np.float32(limit))) | answers.is_right
    return held


def _finite(limit: float) -> float | None:
    # Never below what it takes to hold the validation photo that it comes from.
    return math.ceil(limit * 10**DIGITS) / 10**DIGITS if math.isfinite(limit) else None


def score_decision(test: Answers, rule: Rule) -> dict[str, Any]:
    """How a rule does on the test photos, each share with its interval.

    `coverage` is the share of photos that get a name of each rank, `none` that of those that get none, `risk` the share
    that gets a wrong one; `accuracy` is how many of the names are right, and `accuracy_by_rank` of those of each rank.
    `strange` is the share that looks too little familiar to get any.
    """
    said = say(test, rule)
    is_taxon, is_right = said.verdicts == Verdict.TAXON, ~find_wrong(said, test.ranks)
    at_rank = {rank: is_taxon & (said.ranks == rank) for rank in test.ranks}
    return {
        "thresholds": {rank: round(each, DIGITS) for rank, each in rule.thresholds.items()},
        "min_familiarity": rule.min_familiarity,
        "num_chosen_by": rule.num_chosen_by,
        "num_photos": len(said.places),
        **rates("coverage", at_rank | {NONE: ~is_taxon}),
        **rate("strange", said.verdicts == Verdict.STRANGE),
        **rate("risk", ~is_right),
        **(rate("accuracy", is_right[is_taxon]) if is_taxon.any() else {"accuracy": None}),
        **rates("accuracy_by_rank", {rank: is_right[here] for rank, here in at_rank.items()}),
    }
