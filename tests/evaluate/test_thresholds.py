"""Thresholds of all ranks keep the promise on photos like those of validation, and cost no more than they must."""

from dataclasses import replace

import numpy as np
import pytest

from fieldguide.evaluate import thresholds
from fieldguide.evaluate.answers import Answers
from fieldguide.evaluate.decision import score_decision
from fieldguide.evaluate.rules import Rule
from fieldguide.evaluate.thresholds import (
    NEVER,
    SLOPES,
    STEPS,
    Claims,
    choose_familiarity,
    choose_level,
    choose_slope,
    choose_thresholds,
    place_thresholds,
)
from tests.evaluate.test_decision import draw_answers


@pytest.mark.parametrize(
    ("max_error", "hardness", "num"), [(0.05, 1.6, 150), (0.1, 2.5, 150), (0.2, 4.0, 150), (0.1, 2.5, 600)]
)
def test_the_share_of_wrong_answers_is_as_promised(max_error: float, hardness: float, num: int) -> None:
    test = draw_answers(4000, 0, hardness)
    risks = []
    for seed in range(1, 31):
        chosen = choose_thresholds(draw_answers(num, seed, hardness), max_error)
        risks.append(score_decision(test, Rule(thresholds=chosen, num_chosen_by=num))["risk"])
    # In expectation: single draws may be above. Far below, it would say less than it may.
    assert 0.6 * max_error < np.mean(risks) <= max_error * 1.1


def test_few_photos_have_the_lowest_threshold_for_all_ranks_that_keeps_the_promise() -> None:
    val = draw_answers(300, 3, 2.5)
    claims = Claims.of(val)
    (threshold,) = set(choose_thresholds(val, 0.05).values())

    def count_wrong(level: float) -> int:
        return np.count_nonzero(((claims.confidence >= np.float32(level)) & claims.is_wrong).any(axis=0))

    assert (count_wrong(threshold) + 1) / 301 <= 0.05 < (count_wrong(threshold - 1 / STEPS) + 1) / 301


def test_the_share_of_its_own_photos_that_is_refused_is_as_promised() -> None:
    test = draw_answers(4000, 0)
    refused = []
    for seed in range(1, 31):
        least = choose_familiarity(draw_answers(150, seed), 0.1)
        refused.append(Rule(thresholds={}, min_familiarity=least).find_strange(test.familiarity, 4000).mean())
    assert 0.06 < np.mean(refused) <= 0.11


def test_too_few_photos_and_no_wish_refuse_nothing() -> None:
    assert choose_familiarity(draw_answers(18, 1), 0.05) is None
    few = draw_answers(19, 1)
    assert few.familiarity is not None
    assert choose_familiarity(few, 0.05) == pytest.approx(few.familiarity.min(), abs=1e-4)
    assert choose_familiarity(replace(few, familiarity=None), 0.05) is None
    assert choose_familiarity(draw_answers(1000, 1), 0.0) is None
    assert not Rule(thresholds={}).find_strange(np.full(3, -1e9, np.float32), 3).any()
    assert not Rule(thresholds={}, min_familiarity=0.0).find_strange(None, 3).any()


@pytest.mark.parametrize(
    ("level", "slope", "expected"),
    [
        (0.8, 1.0, [0.8, 0.8, 0.8]),
        (0.8, 0.5, [0.8, 0.9, 0.95]),
        (0.8, 4.0, [0.8, 0.2, 0.0]),
        (NEVER, 4.0, [NEVER, NEVER, NEVER]),
    ],
)
def test_thresholds_fall_together(level: float, slope: float, expected: list[float]) -> None:
    assert place_thresholds(level, slope, 3) == pytest.approx(expected)


def boastful(answers: Answers) -> Answers:
    """The same of a model that says of every genus to be sure, though half of those that it names are wrong."""
    genus = answers.ranks["genus"]
    confidence = np.maximum(genus.calibrated.named, np.float32(0.97))
    labels = np.where(np.arange(len(genus.labels)) % 2, genus.labels, 3 - genus.labels)
    boasting = replace(genus, labels=labels, calibrated=replace(genus.calibrated, named=confidence))
    return replace(answers, ranks={**answers.ranks, "genus": boasting})


def test_many_photos_let_a_rank_that_boasts_be_asked_for_more() -> None:
    val, test = (boastful(draw_answers(num, seed)) for num, seed in ((1500, 5), (4000, 6)))
    chosen = choose_thresholds(val, 0.05)
    assert chosen["genus"] > chosen["species"]
    alike = choose_level(Claims.of(val), 0.05, 1.0)
    shaped, plain = (
        score_decision(test, Rule(thresholds=each, num_chosen_by=1500))
        for each in (chosen, {"species": alike, "genus": alike})
    )
    assert shaped["risk"] <= 0.06
    assert shaped["coverage"]["species"] > plain["coverage"]["species"] + 0.1


def test_the_photos_that_choose_the_slope_do_not_choose_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, int] = {}
    monkeypatch.setattr(thresholds, "choose_slope", lambda claims, _: asked.update(slope=len(claims)) or 1.0)
    level = thresholds.choose_level
    monkeypatch.setattr(
        thresholds, "choose_level", lambda claims, *rest: asked.update(level=len(claims)) or level(claims, *rest)
    )
    choose_thresholds(draw_answers(600, 1), 0.05)
    assert asked == {"slope": 120, "level": 480}


def test_where_all_tell_as_much_ranks_are_asked_alike() -> None:
    assert choose_slope(Claims.of(draw_answers(100, 1)), 0.001) == SLOPES[0] == 1.0
