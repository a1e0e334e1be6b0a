"""The weakest classes come first, as far as their photos can say, with what they are taken for."""

from pathlib import Path

import numpy as np
import polars as pl

from fieldguide.evaluate.answers import Answers
from fieldguide.evaluate.weak_classes import list_recalls, write_recalls
from tests.evaluate.making import answers_of

CLASSES = ["other", "a", "b", "c"]


def answers(labels: list[int], predicted: list[int]) -> Answers:
    logits = np.eye(len(CLASSES), dtype=np.float32)[predicted] * 3
    ranks = {"species": answers_of(CLASSES, np.array(labels), logits, 1.0)}
    return Answers("student", None, np.arange(len(labels)), ranks, np.ones(len(labels), np.float32))


def test_classes_are_listed_by_what_is_surely_lost(tmp_path: Path):
    # Of a 1 photo of 10, of b 0 of 1, of c 4 of 4; test photos have no say in the order.
    val = answers([1] * 10 + [2] + [3] * 4, [1, 2, 2, 2, 3, 3, 3, 3, 0, 0] + [0] + [3] * 4)
    test = answers([2, 2, 3], [2, 0, 0])
    recalls = list_recalls(val, test, {"a": 50, "c": 7})
    assert [(each.name, each.num_train, each.num_right, each.num_photos) for each in recalls] == [
        ("a", 50, 1, 10),
        ("b", 0, 0, 1),
        ("c", 7, 4, 4),
    ]
    assert recalls[0].taken_for == [("c", 4), ("b", 3), ("other", 2)]
    assert recalls[2].taken_for == []
    assert [(each.num_test_right, each.num_test) for each in recalls] == [(0, 0), (1, 2), (0, 1)]
    low, high = recalls[1].interval
    assert (low, round(high, 3)) == (0, 0.975)
    write_recalls(tmp_path / "classes.csv", {"student": recalls})
    table = pl.read_csv(tmp_path / "classes.csv")
    assert table["class"].to_list() == ["a", "b", "c"]
    assert table["recall_test"].to_list() == [None, 0.5, 0.0]
    assert table["taken_for"].to_list() == ["c (4); b (3); other (2)", "other (1)", None]
