"""The table that ends `make repro`, from the metrics of stages that are up to date."""

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.__main__ import main
from fieldguide.commands.summary import as_markdown, as_text, collect_rows
from fieldguide.errors import FieldguideError
from fieldguide.files import write_json
from tests.pipeline.project import Project

METRICS: dict[str, Any] = {
    "clean": {
        "num_photos": 1500,
        "num_kept": 1100,
        "reasons": {"kept": 1100, "licence": 90, "duplicate_url": 120, "bomb": 1, "gif": 0, "a": 2, "b": 3, "c": 184},
    },
    "evaluate": {
        "teacher-global": {"top1": 0.901, "ece": 0.05, "ece_calibrated": 0.021, "num_photos": 110},
        "student": {
            "top1": 0.85,
            "top1_interval": [0.771, 0.912],
            "ece": 0.1,
            "ece_calibrated": 0.04,
            "num_photos": 110,
            "answer": {
                "max_error": 0.05,
                "coverage": {"species": 0.7, "genus": 0.15, "family": 0.0, "none": 0.15},
                "risk": 0.036,
                "risk_interval": [0.01, 0.09],
            },
        },
        "knn": {"top1": 0.5},
        "seconds": 3.0,
    },
    "export-tfjs": {
        "onnxruntime": {"top1_agreement": 1.0, "max_abs_logit_error": 0.0000123},
        "tfjs_node": {"top1_agreement": 0.995, "max_abs_logit_error": 0.02},
        "bundle_mb": 5.25,
    },
}


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    folder = tmp_path / "metrics"
    folder.mkdir()
    for stage, content in METRICS.items():
        (folder / f"{stage}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_rows_say_what_was_built(metrics: Path):
    assert collect_rows(metrics) == [
        ("photos kept", "1,100 of 1,500"),
        ("photos dropped", "c 184, duplicate_url 120, licence 90, b 3, a 2, other reasons 1"),
        ("teacher-global", "top-1 90.1%, ECE 0.050, calibrated 0.021 (110 test photos)"),
        ("student", "top-1 85.0% (77 to 91), ECE 0.100, calibrated 0.040 (110 test photos)"),
        ("its answers", "species 70%, genus 15%, none 15%; 3.6% (1 to 9) of photos named wrongly, promised 5%"),
        ("knn", "top-1 50.0%"),
        ("browser bundle", "5.2 MB"),
        ("student in onnxruntime", "same answer for 100.0% of photos, logits within 1.2e-05"),
        ("student in tfjs_node", "same answer for 99.5% of photos, logits within 0.02"),
    ]


def test_rows_are_aligned_as_text_and_a_table_as_markdown():
    rows = [("a", "1"), ("long", "2")]
    assert as_text(rows) == "  a     1\n  long  2"
    assert as_markdown(rows) == "| what | value |\n|---|---|\n| a | 1 |\n| long | 2 |"


@pytest.mark.parametrize(
    ("stage", "content", "message"),
    [
        ("clean", "{", "clean.json is not JSON"),
        ("clean", "[]", "clean.json holds a list; expected an object"),
        ("export-tfjs", "{}", "metrics/export-tfjs.json has no 'bundle_mb'"),
    ],
)
def test_a_damaged_file_or_a_missing_number_is_named(metrics: Path, stage: str, content: str, message: str):
    (metrics / f"{stage}.json").write_text(content, encoding="utf-8")
    with pytest.raises(FieldguideError, match=message):
        collect_rows(metrics)


def test_numbers_of_another_run_are_not_shown(metrics: Path):
    (metrics / "export-tfjs.json").unlink()
    rows = collect_rows(metrics, {"evaluate": "clean has not run since fetch changed"})
    assert rows[0] == ("photos kept", "1,100 of 1,500")
    assert rows[2:] == [
        ("models", "not built: clean has not run since fetch changed (dvc repro evaluate)"),
        ("browser bundle", f"not built: {metrics}/export-tfjs.json is missing (dvc repro export-tfjs)"),
    ]


def test_the_command_prints_where_to_look(metrics: Path, monkeypatch, capsys):
    monkeypatch.chdir(metrics.parent)
    Project(metrics.parent).run("dvc", "init", "--no-scm", "--quiet")
    main(["summary"])
    printed = capsys.readouterr().out
    assert "photos kept" in printed
    assert "reports/evaluate/index.html" not in printed
    assert "make web" in printed
    write_json(Path("reports/evaluate/index.html"), {})
    main(["summary"])
    assert "reports/evaluate/index.html" in capsys.readouterr().out
    main(["summary", "--markdown"])
    assert capsys.readouterr().out.startswith("| what | value |")


def test_the_command_fails_in_one_line(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="1"):
        main(["summary"])
    assert capsys.readouterr().err.startswith("summary: dvc status: you are not inside of a DVC repository")
