"""A model in every situation in which it may be asked: when it answers there, and how that goes on the test photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fieldguide.evaluate.answers import Answers, EvaluatedModel, answer_at, concerned_photos
from fieldguide.evaluate.decision import choose_limits, decide, score_decision, score_lists
from fieldguide.evaluate.fusion import find_observations, fused
from fieldguide.evaluate.place import PlacedRecords, informed
from fieldguide.evaluate.prior import Prior
from fieldguide.evaluate.rules import Rule, Rules, Situation
from fieldguide.evaluate.scores import ScoreRules

MIN_PHOTOS: Final = 50
"""Validation photos, or observations of several, for rules of a situation's own; one photo alone has its own in any
case."""


@dataclass(frozen=True)
class Told:
    """A model, and what it makes of several photos and of place and season."""

    model: EvaluatedModel
    temperatures: dict[str, float]
    exponent: float
    """Of several photos (fusion.py)."""
    prior: Prior
    """With strength 0 place and season tell nothing."""

    @property
    def situations(self) -> list[Situation]:
        """Those that differ for it."""
        placed = (Situation.ONE_PLACED, Situation.SEVERAL_PLACED) if self.prior.strength else ()
        return [Situation.ONE, Situation.SEVERAL, *placed]

    def ask(
        self,
        situation: Situation,
        placed: PlacedRecords,
        observations: Sequence[str | None],
        limits: Mapping[str, float] | None = None,
    ) -> Answers | None:
        """Its answers to the photos of a split that are of a situation, None if none are.

        With several photos, all of an observation are one answer; where and when they were taken its first one says.
        `observations` are those of all records, `limits` those of short lists.
        """
        model, records = self.model, placed.records
        if situation in (Situation.SEVERAL, Situation.SEVERAL_PLACED):
            groups, labels = find_observations(model, records, observations)
            if situation is Situation.SEVERAL_PLACED:
                known = placed.occasions.is_known[groups[:, 0]]
                groups, labels = groups[known], labels[known]
            indices, model = groups[:, 0], fused(model, groups, self.exponent)
        elif situation is Situation.ONE_PLACED:
            indices, labels = placed.concerned(model)
        else:
            indices, labels = concerned_photos(model, records)
        if not len(indices):
            return None
        if situation in (Situation.ONE_PLACED, Situation.SEVERAL_PLACED):
            model = informed(model, self.prior, placed.occasions[indices], self.temperatures)
        return answer_at(model, self.temperatures, records, indices, labels, limits)


@dataclass(frozen=True)
class Chosen:
    """What the validation photos chose."""

    rules: Rules
    limits: dict[Situation, dict[str, float]]
    """Of short lists at each rank, in the situations that have rules of their own."""


def choose_rules(told: Told, val: PlacedRecords, observations: Sequence[str | None], rules: ScoreRules) -> Chosen:
    """The rules of every situation of which there are validation photos enough."""
    measured: dict[Situation, Rule] = {}
    limits: dict[Situation, dict[str, float]] = {}
    ranks = list(told.model.classes)
    for situation in told.situations:
        answers = told.ask(situation, val, observations)
        num = len(answers.indices) if answers else 0
        if situation is Situation.ONE or num >= MIN_PHOTOS:
            name = f"{told.model.name} ({situation})"
            measured[situation] = decide(name, answers, ranks, rules)
            limits[situation] = choose_limits(answers, ranks, rules.set_coverage)
    return Chosen(Rules.of(measured), limits)


def score_situations(
    told: Told,
    chosen: Chosen,
    one: Answers,
    test: PlacedRecords,
    observations: Sequence[str | None],
    rules: ScoreRules,
) -> dict[str, Any]:
    """How the rule of each situation does on the test photos of that situation, its short lists where it has any.

    `one` are the answers to single photos, which are known already.
    """
    scores: dict[str, Any] = {}
    for situation in told.situations:
        limits = chosen.limits.get(situation)
        answers = one if situation is Situation.ONE else told.ask(situation, test, observations, limits)
        if answers:
            lists = score_lists(answers, rules.set_coverage, limits) if limits else {}
            scores[situation.value] = {**score_decision(answers, chosen.rules.find(situation)), **lists}
    return scores
