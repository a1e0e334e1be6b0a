"""What metrics/evaluate.json says of a model."""

import numpy as np

from fieldguide.evaluate.answers import Answers, RankAnswers
from fieldguide.evaluate.scores import ScoreRules, count_photos, score, score_rank
from fieldguide.learn.labels import UNKNOWN
from fieldguide.records.reader import RecordSet
from fieldguide.split.params import FrequencyParams
from tests.evaluate.making import answers_of

PARAMS = ScoreRules(15, FrequencyParams(few_below=10, many_above=100), max_error=0.5, set_coverage=0.9)


def rank_answers(labels: list[int], predicted: list[int], classes: list[str]) -> RankAnswers:
    logits = np.eye(len(classes), dtype=np.float32)[predicted] * 3
    return answers_of(classes, np.array(labels), logits, 2.0)


def test_scores_are_cut_by_rank_region_and_frequency():
    species = rank_answers([0, 1, 1, 2], [0, 1, 2, 2], ["other", "a", "b"])
    genus = rank_answers([0, 1, UNKNOWN, 1], [0, 1, 0, 0], ["other", "A"])
    answers = Answers(
        "student", None, np.array([5, 0, 2, 3]), {"species": species, "genus": genus}, np.ones(4, np.float32)
    )
    regions = ["north", None, "south", "north", None, None]
    scored = score(answers, regions, {"other": 5, "a": 50, "b": 500}, PARAMS)
    assert (scored["top1"], scored["num_photos"]) == (0.75, 4)
    assert scored["temperature"] == 2.0
    assert scored["ranks"]["species"]["top1"] == 0.75
    assert scored["ranks"]["genus"] | {"top1": 0.666667, "num_photos": 3} == scored["ranks"]["genus"]
    assert {name: (row["top1"], row["num_photos"]) for name, row in scored["regions"].items()} == {
        "north": (1.0, 2),
        "south": (0.0, 1),
        "unknown": (1.0, 1),
    }
    assert {name: (row["top1"], row["num_photos"]) for name, row in scored["frequency"].items()} == {
        "few": (1.0, 1),
        "medium": (0.5, 2),
        "many": (1.0, 1),
    }


def test_a_rank_without_known_photos_says_so():
    assert score_rank(rank_answers([UNKNOWN], [0], ["other", "a"]), 15) == {"num_photos": 0}


def test_training_photos_are_counted_by_name(train: RecordSet):
    assert count_photos(train) == {
        "other": 10,
        "Aster alpinus": 10,
        "Aster bellus": 10,
        "Linum album": 10,
        "Linum nudum": 20,
    }
