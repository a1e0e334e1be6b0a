"""Planted errors are found, listed with what they probably are, and counted."""

import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fieldguide.catalogue.schema import photo_id
from fieldguide.errors import ParamsError
from fieldguide.review.outliers import find_outliers
from fieldguide.review.probing import predict_unseen, score_features
from fieldguide.review.suspects import COLUMNS, compare_with_truth, find_suspects, read_truth, write_suspects
from tests.review.making import CLASSES, make_examined


def test_planted_errors_are_suspect_and_the_right_class_is_suggested():
    photos, wrong = make_examined()
    suspects = [each for each in find_suspects(photos, predict_unseen(photos, 4)) if each.kind == "label"]
    found = {suspect.row for suspect in suspects}
    assert found <= set(wrong)
    assert len(found) >= len(wrong) - 1
    for suspect in suspects:
        # Labels were moved to the next class.
        assert CLASSES.index(str(suspect.suggested)) == (photos.labels[suspect.row] - 2) % 3 + 1
    scores = [suspect.score for suspect in suspects]
    assert scores == sorted(scores, reverse=True)


def test_photos_of_no_class_are_never_suspect_of_another():
    photos, wrong = make_examined()
    table = photos.table.with_columns(class_index=np.where(np.arange(240) < 20, 0, photos.labels))
    others = type(photos)(table, photos.features, photos.classes, {})
    suspects = find_suspects(others, predict_unseen(others, 4))
    found = {each.row for each in suspects if each.kind == "label"}
    assert found
    assert found <= {row for row in wrong if row >= 20}


def test_a_photo_like_no_other_is_an_outlier():
    photos, _ = make_examined(num_wrong=0, spread=0.3)
    photos.features[[7, 200]] = np.eye(16, dtype=np.float32)[[3, 11]] * np.array([[-30], [30]])
    rows, scores = find_outliers(photos)
    assert {7, 200} <= set(rows.tolist())
    assert len(rows) < 12
    assert (np.diff(scores) <= 0).all()


def test_too_few_photos_have_no_outliers():
    photos, _ = make_examined(num=12, num_wrong=0)
    assert find_outliers(photos)[0].tolist() == []


def test_the_list_is_a_table_that_people_fill_in(tmp_path: Path):
    photos, wrong = make_examined()
    write_suspects(photos, find_suspects(photos, predict_unseen(photos, 4)), tmp_path / "suspects.csv")
    with (tmp_path / "suspects.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    first = next(row for row in rows if row["kind"] == "label")
    row = int(first["photo_id"], 16)
    assert row in wrong
    assert first["label"] == CLASSES[photos.labels[row]]
    assert (first["split"], first["source"], first["source_row"]) == ("train", "flora", f"rows.jsonl:{row + 1}")
    assert {row["decision"] for row in rows} == {""}


def test_recall_and_precision_against_what_is_known(tmp_path: Path):
    photos, wrong = make_examined()
    ids = [photo_id("flora", f"row-{row}") for row in range(240)]
    photos = type(photos)(photos.table.with_columns(photo_id=np.array(ids)), photos.features, photos.classes, {})
    right = [CLASSES[(photos.labels[row] - 2) % 3 + 1] for row in wrong]
    known = [{"id": f"row-{row}", "true": true} for row, true in zip(wrong, right, strict=True)]
    # One that was found is not among the known, one of the known is right after all, one is not among the photos.
    suspects = find_suspects(photos, predict_unseen(photos, 4))
    known = [entry for entry in known if entry["id"] != f"row-{suspects[0].row}"]
    known += [{"id": "row-0", "true": "Linum album"}, {"id": "row-999", "true": "Linum album"}]
    (tmp_path / "truth.json").write_text(json.dumps({"label_errors": known}))
    assert 0 not in wrong
    counted = compare_with_truth(photos, suspects, read_truth(tmp_path / "truth.json"))
    num_listed = sum(suspect.kind == "label" for suspect in suspects)
    assert counted == {
        "num_wrong": 6,
        "num_found": num_listed - 1,
        "recall": round((num_listed - 1) / 6, 4),
        "precision": round((num_listed - 1) / num_listed, 4),
        "r_precision": round((num_listed - 1) / 6, 4),
        "num_well_suggested": num_listed - 1,
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"truth\.json is missing"),
        ("{}", r'has no list {"label_errors"'),
        ('{"label_errors": [{"id": "a"}]}', r'has no list {"label_errors"'),
        ("nonsense", r'has no list {"label_errors"'),
    ],
)
def test_a_wrong_truth_is_one_line(tmp_path: Path, content: str | None, message: str):
    if content is not None:
        (tmp_path / "truth.json").write_text(content)
    with pytest.raises(ParamsError, match=message):
        read_truth(tmp_path / "truth.json")


def test_photos_without_any_label_are_no_trouble():
    photos, _ = make_examined()
    unnamed = type(photos)(photos.table.with_columns(class_index=pl.lit(0)), photos.features, photos.classes, {})
    probabilities = predict_unseen(unnamed, 3)
    assert score_features(unnamed, probabilities) == {}
    assert {suspect.kind for suspect in find_suspects(unnamed, probabilities)} <= {"outlier"}
