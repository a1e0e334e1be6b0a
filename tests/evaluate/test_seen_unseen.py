"""Held-out photos: scores on species that a model knows, and how unsure it is of those that none knows."""

from collections.abc import Iterator

import numpy as np
import pytest

from fieldguide.evaluate.answers import Answers, EvaluatedModel, answer, calibrate
from fieldguide.evaluate.rules import Rule
from fieldguide.evaluate.scores import ScoreRules
from fieldguide.evaluate.seen_unseen import score_held_out, score_novelty
from fieldguide.records.reader import RecordSet
from fieldguide.split.params import FrequencyParams
from tests.evaluate.making import answers_of
from tests.records.making import TAXONOMY

PARAMS = ScoreRules(15, FrequencyParams(few_below=10, many_above=100), max_error=0.5, set_coverage=0.9)
RULE = Rule(thresholds={"species": 0.6, "genus": 0.6})


def sure_answers(labels: list[int], sureness: list[float], best: int = 1) -> Answers:
    """Of photos of which a model is so sure; they look the more familiar, the less sure it is."""
    logits = np.zeros((len(labels), 3), np.float32)
    logits[:, best] = sureness
    at_species = answers_of(["other", "a", "b"], np.array(labels), logits, 1.0)
    return Answers("net", None, np.arange(len(labels)), {"species": at_species}, -np.float32(sureness))


@pytest.mark.parametrize(
    ("known", "unknown", "auroc", "fpr95"),
    [
        pytest.param([5, 6, 7], [1, 2], 1.0, 0.0, id="told apart"),
        pytest.param([1, 2], [5, 6, 7], 0.0, 1.0, id="taken for known"),
        pytest.param([3, 3], [3, 3], 0.5, 1.0, id="alike"),
        pytest.param([2, 4], [1, 3], 0.75, 0.5, id="one between"),
    ],
)
def test_novelty_is_told_by_confidence(known: list[float], unknown: list[float], auroc: float, fpr95: float):
    novelty = score_novelty(sure_answers([1] * len(known), known), sure_answers([0] * len(unknown), unknown))
    assert (novelty["auroc"], novelty["fpr95"]) == (auroc, fpr95)
    assert novelty["familiarity"]["auroc"] == 1 - auroc


def test_an_answer_of_other_is_no_sign_of_a_known_species():
    known, unknown = sure_answers([1, 2], [2, 3]), sure_answers([0], [9], best=0)
    assert score_novelty(known, unknown)["auroc"] == 1.0
    bundled = sure_answers([0, 0], [2, 3])
    assert score_novelty(bundled, unknown) == {}


def test_seen_counts_species_and_unseen_their_relatives(val: RecordSet, test: RecordSet):
    def predict(records: RecordSet, indices: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
        # Always the right genus, and never a species.
        yield {
            "species": np.tile(np.float32([5, 0, 0, 0, 0]), (len(indices), 1)),
            "genus": np.eye(3, dtype=np.float32)[records.labels("genus")[indices]] * 5,
        }

    model = EvaluatedModel("net", None, TAXONOMY.classes, predict)
    temperatures = calibrate(model, val)
    known = answer(model, temperatures, test)
    scores = score_held_out(model, temperatures, RULE, known, {"seen": test, "unseen": test, "blank": test}, PARAMS)
    assert scores["seen"]["num_photos"] == 30
    assert scores["seen"]["top1"] == 0.166667
    assert scores["seen"]["ranks"]["genus"]["top1"] == 1.0
    assert list(scores["unseen"]["ranks"]) == ["genus"]
    assert scores["unseen"]["ranks"]["genus"] | {"top1": 1.0, "num_photos": 30} == scores["unseen"]["ranks"]["genus"]
    assert scores["unseen"]["auroc"] == 0.5
    # It names genera alone, and these are right but for photos whose genus is nobody's class.
    assert scores["unseen"]["refused"] == 1.0
    low, high = scores["unseen"]["refused_interval"]
    assert 0.8 < low < high == 1.0
    # Of no organism no rank says anything.
    assert scores["blank"] == {name: value for name, value in scores["unseen"].items() if name != "ranks"}


def test_a_model_of_one_region_is_judged_on_its_own_photos(val: RecordSet, test: RecordSet):
    def predict(records: RecordSet, indices: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
        yield {rank: np.zeros((len(indices), len(names)), np.float32) for rank, names in classes.items()}

    classes = {"species": TAXONOMY.regions["north"], "genus": ["other", "Linum"]}
    model = EvaluatedModel("north", "north", classes, predict)
    temperatures = calibrate(model, val)
    known = answer(model, temperatures, test)
    scores = score_held_out(model, temperatures, RULE, known, {"unseen": test}, PARAMS)
    assert scores["unseen"]["num_photos"] == 10
    # Aster is no class of this model.
    assert scores["unseen"]["ranks"]["genus"]["num_photos"] < 10
    elsewhere = EvaluatedModel("moon", "moon", classes, predict)
    assert score_held_out(elsewhere, temperatures, RULE, known, {"seen": test, "unseen": test}, PARAMS) == {}
