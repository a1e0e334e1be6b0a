"""The files beside the report."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fieldguide.evaluate.answers import Answers
from fieldguide.evaluate.rules import Rule, Rules, Situation
from fieldguide.evaluate.tables import (
    tabulate,
    write_answers,
    write_calibration,
    write_confusion,
    write_mix_ups,
    write_predictions,
    write_reliability,
)
from fieldguide.learn.labels import UNKNOWN
from tests.evaluate.making import answers_of

LOGITS = np.array([[1, 3, 2, 0, 0, 0], [9, 0, 0, 0, 0, 0]], np.float32)
SPECIES = answers_of(["other", "a", "b", "c", "d", "e"], np.array([2, 0]), LOGITS, 2.0)
ANSWERS = Answers("student", None, np.array([1, 0]), {"species": SPECIES}, np.ones(2, np.float32))


def test_predictions_hold_five_answers_and_honest_confidence(tmp_path: Path):
    table = tabulate(ANSWERS, ["id0", "id1"])
    write_predictions(tmp_path / "predictions.parquet", [table, table])
    read = pl.read_parquet(tmp_path / "predictions.parquet")
    assert read["photo_id"].to_list() == ["id1", "id0"] * 2
    assert read["label"].to_list()[:2] == ["b", "other"]
    assert read["top5"].to_list()[0] == ["a", "b", "other", "c", "d"]
    shares = np.exp(LOGITS[0] / 2) / np.exp(LOGITS[0] / 2).sum()
    assert read["confidence"].to_list()[0] == pytest.approx(sorted(shares, reverse=True)[:5], rel=1e-5)


def test_mix_ups_are_counted_without_other_and_what_the_model_lacks(tmp_path: Path):
    labels, predicted = np.array([1, 1, 2, 1, 0, 3, UNKNOWN, 2]), np.array([2, 2, 1, 1, 1, 0, 1, 2])
    answers = answers_of(["other", "a", "b", "c", "d", "e"], labels, np.eye(6, dtype=np.float32)[predicted], 1.0)
    write_mix_ups(tmp_path / "mix_ups.csv", answers)
    assert (tmp_path / "mix_ups.csv").read_text() == "actual,predicted,num_photos\na,b,2\nb,a,1\n"
    write_mix_ups(tmp_path / "mix_ups.csv", None)
    assert (tmp_path / "mix_ups.csv").read_text() == "actual,predicted,num_photos\n"


def test_plots_for_dvc(tmp_path: Path):
    write_confusion(tmp_path / "confusion.csv", SPECIES)
    assert (tmp_path / "confusion.csv").read_text() == "actual,predicted\nb,a\nother,other\n"
    write_reliability(tmp_path / "reliability.csv", SPECIES, 15)
    rows = pl.read_csv(tmp_path / "reliability.csv")
    assert rows.columns == ["state", "confidence", "accuracy", "num_photos"]
    assert rows.group_by("state").agg(pl.col("num_photos").sum())["num_photos"].to_list() == [2, 2]


def test_answers_are_counted_as_the_page_would_give_them(tmp_path: Path):
    classes = {"species": ["other", "a", "b"], "genus": ["other", "g"]}
    species = np.array([[0.02, 0.96, 0.02], [0.02, 0.53, 0.45], [0.98, 0.01, 0.01], [0.6, 0.2, 0.2]], np.float32)
    genus = np.array([[0.01, 0.99], [0.01, 0.99], [0.97, 0.03], [0.49, 0.51]], np.float32)
    ranks = {
        "species": answers_of(classes["species"], np.array([1, 2, 0, 1]), np.log(species), 1.0),
        "genus": answers_of(classes["genus"], np.array([1, 1, 0, 1]), np.log(genus), 1.0),
    }
    answers = Answers("student", None, np.arange(4), ranks, np.array([3, 3, 1, 3], np.float32))
    rule = Rule(thresholds=dict.fromkeys(classes, 0.0))
    write_answers(tmp_path / "answers.csv", answers, rule)
    rows = pl.read_csv(tmp_path / "answers.csv")
    at = {
        row["answer"]: (row["share"], row["accuracy"])
        for row in rows.iter_rows(named=True)
        if row["min_confidence"] == 0.6
    }
    named = {"species": (0.25, 1.0), "genus": (0.25, 1.0)}
    assert at == named | {"outside": (0.25, 1.0), "strange": (0.0, None), "unsure": (0.25, None)}
    lenient = {row["answer"]: row["share"] for row in rows.iter_rows(named=True) if row["min_confidence"] == 0.5}
    assert lenient == {"species": 0.5, "genus": 0.25, "outside": 0.25, "strange": 0.0, "unsure": 0.0}
    write_answers(tmp_path / "answers.csv", answers, rule.model_copy(update={"min_familiarity": 2.0}))
    strange = pl.read_csv(tmp_path / "answers.csv").filter(pl.col("answer") == "strange")
    assert strange["share"].unique().to_list() == [0.25]
    assert strange["accuracy"].unique().to_list() == [1.0]


def test_calibration_names_each_model(tmp_path: Path):
    kept = {"top1": 0.9, "top5": 1.0, "macro_f1": 0.8, "ece": 0.1, "ece_calibrated": 0.02, "num_photos": 7}
    ranks = {"species": {"temperature": 1.5, "top1": 0.9}, "genus": {"temperature": 0.7}, "family": {"num_photos": 0}}
    decided = {
        "max_error": 0.05,
        "set_target": 0.9,
        "fusion_exponent": 0.25,
    }
    rule = Rule(thresholds={"species": 0.7, "genus": 0.8}, set_limit=0.97, num_chosen_by=60)
    rules = Rules.of({Situation.ONE: rule})
    score = {**kept, "temperature": 1.5, "ranks": ranks, "answer": {**decided, "accuracy": 0.9}}
    write_calibration(tmp_path / "calibration.json", {"student": score}, {"student": rules})
    written = json.loads((tmp_path / "calibration.json").read_text())
    assert written == {
        "student": {"temperatures": {"species": 1.5, "genus": 0.7}, **kept, **decided, "rules": rules.model_dump()}
    }
