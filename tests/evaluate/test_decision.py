"""When a model may answer: the promise holds on photos like those of validation, and costs no more than it must."""

import logging
from collections.abc import Iterator

import numpy as np
import pytest

from fieldguide.evaluate.answers import Answers, EvaluatedModel, answer, calibrate
from fieldguide.evaluate.decision import (
    NEVER,
    STEPS,
    Decision,
    choose_threshold,
    decide,
    find_wrong,
    say,
    score_decision,
)
from fieldguide.evaluate.metrics import find_interval
from fieldguide.records.reader import RecordSet
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
    return Answers("drawn", None, np.arange(num), ranks)


@pytest.mark.parametrize(("max_error", "hardness"), [(0.05, 1.6), (0.1, 2.5), (0.2, 4.0)])
def test_the_share_of_wrong_answers_is_as_promised(max_error: float, hardness: float) -> None:
    test = draw_answers(4000, 0, hardness)
    risks = []
    for seed in range(1, 31):
        chosen = choose_threshold(draw_answers(150, seed, hardness), max_error)
        risks.append(score_decision(test, Decision(chosen, max_error, 150))["risk"])
    # In expectation: single draws may be above. Far below, it would say less than it may.
    assert 0.6 * max_error < np.mean(risks) <= max_error * 1.1


def test_the_threshold_is_the_lowest_that_keeps_the_promise() -> None:
    val = draw_answers(300, 3, 2.5)
    steps = round(choose_threshold(val, 0.05) * STEPS)

    def count_ever_wrong(lowest: int) -> int:
        wrong = [find_wrong(say(val, step / STEPS), val.ranks) for step in range(lowest, STEPS + 1)]
        return np.count_nonzero(np.any(wrong, axis=0))

    assert (count_ever_wrong(steps) + 1) / 301 <= 0.05 < (count_ever_wrong(steps - 1) + 1) / 301


def test_scores_add_up() -> None:
    test = draw_answers(500, 4)
    scores = score_decision(test, Decision(0.7, 0.05, 100))
    assert sum(scores["coverage"].values()) == pytest.approx(1, abs=1e-5)
    assert scores["coverage"]["species"] > scores["coverage"]["genus"] > 0
    low, high = scores["risk_interval"]
    assert low < scores["risk"] < high
    said = 1 - scores["coverage"]["none"]
    assert scores["accuracy"] == pytest.approx(1 - scores["risk"] / said, abs=1e-5)
    silent = score_decision(test, Decision(NEVER, 0.05, 3))
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
    assert decide("perfect", answers, 0.5).min_confidence == 0
    with caplog.at_level(logging.WARNING):
        assert decide("perfect", answers, 0.001).min_confidence == NEVER
    assert "perfect names nothing" in caplog.text
    assert decide("moon", None, 0.5) == Decision(NEVER, 0.5, 0)
