"""Every situation has rules of its own where the photos suffice, and elsewhere the strictest, with no promise."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from fieldguide.evaluate import situations
from fieldguide.evaluate.answers import Answers, EvaluatedModel
from fieldguide.evaluate.fusion import find_observations
from fieldguide.evaluate.place import PlacedRecords
from fieldguide.evaluate.prior import Occasions, count_occasions
from fieldguide.evaluate.rules import MOST_PHOTOS, Rule, Rules, Situation
from fieldguide.evaluate.scores import ScoreRules
from fieldguide.evaluate.situations import Told, choose_rules, score_situations
from fieldguide.records.reader import RecordSet
from fieldguide.split.params import FrequencyParams
from tests.records.making import TAXONOMY

RULES = ScoreRules(15, FrequencyParams(few_below=3, many_above=9), max_error=0.1, set_coverage=0.8)
TEMPERATURES = {"species": 1.0, "genus": 1.0}


def blurred(records: RecordSet, indices: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    truth = records.labels("species")[indices]
    noise = np.stack([np.random.default_rng(index).normal(0, 1.2, 5) for index in indices.tolist()])
    yield {"species": (2 * np.eye(5)[truth] + noise).astype(np.float32)}


def placed(records: RecordSet, share_known: float = 1.0) -> PlacedRecords:
    """Species at places of their own; that of the first photos is known."""
    labels = records.labels("species").astype(np.float64)
    known = np.arange(len(records)) < share_known * len(records)
    return PlacedRecords(records, Occasions(*(np.where(known, each, np.nan) for each in (labels, labels, 1 + labels))))


def in_pairs(records: RecordSet) -> list[str | None]:
    """Two photos of a species in an observation."""
    seen: Counter[int] = Counter()
    names: list[str | None] = []
    for label in records.labels("species").tolist():
        names.append(f"{label}-{seen[label] // 2}")
        seen[label] += 1
    return names


@pytest.fixture
def told(train: RecordSet) -> Told:
    counted = count_occasions(train.labels("species"), placed(train).occasions, 5)
    model = EvaluatedModel("net", None, TAXONOMY.classes, blurred)
    return Told(model, TEMPERATURES, exponent=0.5, prior=replace(counted, strength=1.0))


def asked(told: Told, situation: Situation, records: PlacedRecords) -> Answers:
    answers = told.ask(situation, records, in_pairs(records.records))
    assert answers
    return answers


def test_what_a_model_is_told_makes_it_right_more_often(told: Told, train: RecordSet) -> None:
    right = {situation: asked(told, situation, placed(train)).first.is_right.mean() for situation in told.situations}
    assert right[Situation.SEVERAL] > right[Situation.ONE]
    assert right[Situation.ONE_PLACED] > right[Situation.ONE]
    assert right[Situation.SEVERAL_PLACED] >= max(right.values())


def test_only_photos_of_the_situation_are_asked_about(told: Told, train: RecordSet) -> None:
    some, pairs = placed(train, 0.5), find_observations(told.model, train, in_pairs(train))[0]
    assert len(asked(told, Situation.ONE, some).indices) == 60
    assert asked(told, Situation.ONE_PLACED, some).indices.tolist() == list(range(30))
    assert asked(told, Situation.SEVERAL, some).indices.tolist() == pairs[:, 0].tolist()
    both = asked(told, Situation.SEVERAL_PLACED, some).indices
    assert both.tolist() == [index for index in pairs[:, 0].tolist() if index < 30]
    assert told.ask(Situation.SEVERAL, some, [None] * 60) is None
    assert told.ask(Situation.ONE_PLACED, placed(train, 0), []) is None


def test_situations_with_photos_enough_have_rules_of_their_own(
    told: Told, train: RecordSet, test: RecordSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(situations, "MIN_PHOTOS", 20)
    chosen = choose_rules(told, placed(train, 0.4), in_pairs(train), RULES)
    measured = chosen.rules.measured
    assert set(measured) == {Situation.ONE, Situation.SEVERAL, Situation.ONE_PLACED}
    assert len({rule.thresholds["species"] for rule in measured.values()}) == 3
    own = asked(told, Situation.ONE, placed(test))
    scores = score_situations(told, chosen, own, placed(test), in_pairs(test), RULES)
    assert list(scores) == ["one", "several", "one_placed", "several_placed"]
    assert scores["one_placed"]["num_chosen_by"] == 24
    assert scores["several_placed"]["num_chosen_by"] == 0
    assert "set_size" in scores["several"]
    assert "set_size" not in scores["several_placed"]
    assert scores["several_placed"]["thresholds"] == chosen.rules.fallback.thresholds


def test_a_prior_that_tells_nothing_makes_no_situation(told: Told) -> None:
    silent = replace(told, prior=replace(told.prior, strength=0.0))
    assert silent.situations == [Situation.ONE, Situation.SEVERAL]


@pytest.mark.parametrize(
    ("num_photos", "is_placed", "expected"),
    [
        (1, False, "one"),
        (1, True, "one_placed"),
        (2, False, "several"),
        (MOST_PHOTOS, True, "several_placed"),
        (MOST_PHOTOS + 1, True, None),
    ],
)
def test_situations_by_what_is_told(num_photos: int, is_placed: bool, expected: str | None) -> None:
    assert Situation.of(num_photos, is_placed) == expected


def test_elsewhere_the_strictest_of_each_rank_holds() -> None:
    one = Rule(thresholds={"species": 0.9, "genus": 0.5}, set_limit=0.9, num_chosen_by=100)
    placed_one = Rule(thresholds={"species": 0.6, "genus": 0.7}, num_chosen_by=60)
    rules = Rules.of({Situation.ONE: one, Situation.ONE_PLACED: placed_one})
    assert rules.find(Situation.ONE) == one
    strictest = Rule(thresholds={"species": 0.9, "genus": 0.7})
    assert rules.find(Situation.SEVERAL) == rules.find(None) == strictest
    assert Rules.unproven(["species"], 0.6).find(Situation.ONE) == Rule(thresholds={"species": 0.6})
