"""The whole pipeline on the embedded sample, as a newcomer's `make repro` leaves it."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.pipeline.project import ROOT, Project
from tests.pipeline.recorded import read_recorded

pytestmark = pytest.mark.slow

UP_TO_DATE = "Data and pipelines are up to date."
MODELS = ["teacher-global", "teacher-regional", "student"]


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_nothing_is_left_to_do(built_clone: Project):
    assert UP_TO_DATE in built_clone.run("dvc", "repro")
    assert UP_TO_DATE in built_clone.run("dvc", "status")
    assert built_clone.run("git", "status", "--porcelain") == ""


def test_clean_found_exactly_what_was_planted(built_clone: Project):
    truth = read_json(ROOT / "sample" / "truth.json")
    metrics = read_json(built_clone.root / "metrics" / "clean.json")
    assert metrics["num_photos"] == truth["num_rows"]
    assert metrics["num_kept"] == truth["num_kept"]
    planted = {**truth["reasons"], "kept": truth["num_kept"]}
    assert {reason: count for reason, count in metrics["reasons"].items() if count} == {
        reason: count for reason, count in planted.items() if count
    }
    rows = (built_clone.root / "data" / "observations.jsonl").read_text(encoding="utf-8").splitlines()
    ids = [json.loads(row)["id"] for row in rows]
    verdicts = pl.read_parquet(built_clone.root / "interim" / "clean" / "verdicts.parquet")
    row_id = dict(zip(verdicts["photo_id"], ids, strict=True))
    dropped = {
        row_id[photo]: (reason, row_id.get(original))
        for photo, reason, original in verdicts.filter(pl.col("verdict") == "drop")
        .select("photo_id", "reason", "duplicate_of")
        .iter_rows()
    }
    assert dropped == {row["id"]: (row["reason"], row.get("duplicate_of")) for row in truth["dropped"]}


def test_nothing_leaks(built_clone: Project):
    metrics = read_json(built_clone.root / "metrics" / "split.json")
    assert {name: value for name, value in metrics.items() if name.startswith("leaked_")} == dict.fromkeys(
        ["leaked_urls", "leaked_bytes", "leaked_observations", "leaked_groups", "leaked_near_duplicates"], 0
    )


def test_the_models_are_good(built_clone: Project):
    metrics = read_json(built_clone.root / "metrics" / "evaluate.json")
    assert [name for name in MODELS if name in metrics] == MODELS
    for name in MODELS:
        for rate in ("top1", "top5", "macro_f1", "ece", "ece_calibrated"):
            assert 0 <= metrics[name][rate] <= 1
        assert metrics[name]["num_photos"] > 0
    assert metrics["teacher-global"]["top1"] >= 0.75
    assert metrics["student"]["top1"] >= 0.78


def test_the_bundle_is_proved_equal(built_clone: Project):
    metrics = read_json(built_clone.root / "metrics" / "export-tfjs.json")
    for runtime in ("onnxruntime", "tensorflow", "tfjs_node"):
        assert metrics[runtime]["top1_agreement"] >= 0.98
        assert metrics[runtime]["max_abs_logit_error"] < 0.5
    bundle = built_clone.root / "models" / "tfjs"
    size = sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file()) / 1e6
    assert metrics["bundle_mb"] <= size + 0.01
    assert {"index.html", "model.json", "labels.json", "MODEL_CARD.md"} <= {file.name for file in bundle.iterdir()}


def test_an_experiment_reruns_what_it_touches_and_stands_beside_the_first(built_clone: Project, tmp_path: Path):
    project = built_clone.clone_with_outputs(tmp_path / "clone")
    project.env["FIELDGUIDE_TRACKING"] = "strict"
    settings = [
        "distill_student.temperature=5",
        # One epoch is enough to see what runs; its answers are near ties, which weights in bytes may decide otherwise.
        "distill_student.epochs=1",
        "export_tfjs.limits.tfjs_node.min_top1_agreement=0",
        "export_tfjs.limits.tfjs_node.max_logit_error=9",
    ]
    arguments = [argument for setting in settings for argument in ("-S", setting)]
    output = project.run("dvc", "exp", "run", "--name", "warmer", *arguments)
    ran = [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]
    assert ran == ["distill-student", "evaluate", "export-tfjs"]
    (warmer,) = read_recorded(project.root)
    assert warmer.name == "warmer"
    assert [child.name for child in warmer.children] == ran
    assert warmer.params["distill_student.temperature"] == "5"
    assert "train-teacher-global.val_top1" in warmer.metrics
    assert "student.top1" in warmer.child("evaluate").metrics


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["dvc", "dag"], "train-teacher@regional"),
        (["dvc", "metrics", "show"], "teacher-global.top1"),
        (["dvc", "params", "diff", "--all"], "distill_student.temperature"),
        (["dvc", "plots", "show"], "index.html"),
        (["python", "-m", "fieldguide", "summary"], "student"),
    ],
)
def test_what_users_look_at(built_clone: Project, tmp_path: Path, command: list[str], shown: str):
    project = built_clone.clone_with_outputs(tmp_path / "clone")
    assert shown in project.run(*command)
