"""When a model may answer: the promise holds on photos like those of validation, and costs no more than it must."""

import logging
from collections.abc import Iterator

import numpy as np
import pytest

from fieldguide.evaluate.answers import Answers, EvaluatedModel, answer, calibrate
from fieldguide.evaluate.decision import decide, find_wrong, say, score_decision
from fieldguide.evaluate.metrics import find_interval
from fieldguide.evaluate.rules import Rule
from fieldguide.evaluate.scores import ScoreRules
from fieldguide.evaluate.thresholds import NEVER
from fieldguide.evaluate.tree import Verdict
from fieldguide.records.reader import RecordSet
from fieldguide.split.params import FrequencyParams
from tests.evaluate.making import answers_of
from tests.records.making import TAXONOMY

SPECIES, GENERA = ["other", "a 1", "a 2", "b 1", "b 2"], ["other", "a", "b"]
GENUS_OF = np.array([0, 1, 1, 2, 2])


def draw_answers(num: int, seed: int, hardness: float = 1.6) -> Answers:
    """Noisy answers to `num` photos of four species, of which some look alike; genera are sums of species."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, 5, num)
    scores = np.eye(5)[labels] * 4 + rng.normal(scale=hardness, size=(num, 5))
    species = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    genus = np.stack([species[:, place == GENUS_OF].sum(axis=1) for place in range(3)], axis=1)
    logits = (np.log(part).astype(np.float32) for part in (species, genus))
    ranks = {
        rank: answers_of(classes, of, part, 1.0)
        for rank, classes, of, part in zip(
            ("species", "genus"), (SPECIES, GENERA), (labels, GENUS_OF[labels]), logits, strict=True
        )
    }
    familiarity = np.log(np.exp(scores).sum(axis=1)).astype(np.float32)
    return Answers("drawn", None, np.arange(num), ranks, familiarity)


def alike(threshold: float, num: int = 100) -> Rule:
    """The same threshold at both ranks."""
    return Rule(thresholds={"species": threshold, "genus": threshold}, num_chosen_by=num)


def promising(max_error: float) -> ScoreRules:
    """Rules of that promise."""
    frequency = FrequencyParams(few_below=10, many_above=100)
    return ScoreRules(15, frequency, max_error=max_error, set_coverage=0.9, max_strange=0.05)


def test_a_rank_that_must_be_surer_speaks_less() -> None:
    test = draw_answers(500, 4)
    strict = say(test, Rule(thresholds={"species": 0.95, "genus": 0.7}))
    lenient = say(test, alike(0.7))
    assert (strict.ranks == "species").sum() < (lenient.ranks == "species").sum()
    of_species = say(test, Rule(thresholds={"species": 0.7}))
    assert set(of_species.ranks[find_wrong(of_species, test.ranks)]) == {"species"}


def test_what_is_strange_gets_no_name_however_sure_the_model_is() -> None:
    test = draw_answers(500, 4)
    assert test.familiarity is not None
    least = float(np.quantile(test.familiarity, 0.2))
    said = say(test, alike(0.0).model_copy(update={"min_familiarity": least}))
    strange = test.familiarity < np.float32(least)
    assert set(said.verdicts[strange]) == {Verdict.STRANGE}
    assert set(said.verdicts[~strange]) == {Verdict.TAXON}
    assert set(said.places[strange]) == {GENERA.index("other")}
    scores = score_decision(test, alike(0.0).model_copy(update={"min_familiarity": least}))
    assert scores["strange"] == scores["coverage"]["none"] == pytest.approx(0.2, abs=0.01)
    assert scores["risk"] < score_decision(test, alike(0.0))["risk"]


def test_scores_add_up() -> None:
    test = draw_answers(500, 4)
    scores = score_decision(test, alike(0.7))
    assert sum(scores["coverage"].values()) == pytest.approx(1, abs=1e-5)
    assert scores["coverage"]["species"] > scores["coverage"]["genus"] > 0
    low, high = scores["risk_interval"]
    assert low < scores["risk"] < high
    said = 1 - scores["coverage"]["none"]
    assert scores["accuracy"] == pytest.approx(1 - scores["risk"] / said, abs=1e-5)
    silent = score_decision(test, alike(NEVER, 3))
    assert (silent["risk"], silent["accuracy"], silent["coverage"]["none"]) == (0, None, 1)


@pytest.mark.parametrize(
    ("hits", "num", "interval"), [(0, 10, (0, 0.3085)), (10, 10, (0.6915, 1)), (5, 100, (0.0164, 0.1128))]
)
def test_intervals_are_exact(hits: int, num: int, interval: tuple[float, float]) -> None:
    assert find_interval(hits, num) == pytest.approx(interval, abs=1e-4)


def test_too_few_photos_promise_nothing(val: RecordSet, caplog: pytest.LogCaptureFixture) -> None:
    def predict(records: RecordSet, indices: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
        yield {
            rank: np.eye(len(names), dtype=np.float32)[records.labels(rank)[indices]] * 9
            for rank, names in TAXONOMY.classes.items()
        }

    model = EvaluatedModel("perfect", None, TAXONOMY.classes, predict)
    answers = answer(model, calibrate(model, val), val)
    ranks = list(TAXONOMY.classes)
    sure = decide("perfect", answers, ranks, promising(0.5))
    assert set(sure.thresholds.values()) == {0}
    assert sure.num_chosen_by == len(answers.indices)
    with caplog.at_level(logging.WARNING):
        assert set(decide("perfect", answers, ranks, promising(0.001)).thresholds.values()) == {NEVER}
    assert "perfect names nothing" in caplog.text
    assert decide("moon", None, ["species"], promising(0.5)) == Rule(thresholds={"species": NEVER})
