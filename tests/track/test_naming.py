"""Runs are called by their preset and by what was changed."""

from pathlib import Path

import pytest

from fieldguide.track.naming import describe_changes, preset_of
from tests.pipeline.project import ROOT

BEFORE = "# A preset.\na: {b: 1, c: [1, 2], d: text}\ne: 1e-3\n"


@pytest.mark.parametrize(
    ("now", "changes"),
    [
        (BEFORE, ""),
        ("a: {b: 1, c: [1, 2], d: text}\ne: 0.001", ""),
        (BEFORE.replace("b: 1", "b: 2"), "a.b=2"),
        (BEFORE.replace("[1, 2]", "[1]").replace("d: text", "d: other"), "a.c=[1], a.d=other"),
        (BEFORE.replace(", d: text", ""), "a.d left out"),
        (BEFORE + "f: {g: 1, h: 2, i: 3, j: 4, k: 5}", "f.g=1, f.h=2, f.i=3, 2 more"),
        (BEFORE.replace("text", "x" * 100), f"a.d={'x' * 60}..."),
    ],
)
def test_changes(now: str, changes: str):
    assert describe_changes(now, BEFORE) == changes


@pytest.mark.parametrize("before", [None, "", "a: [", "- a"])
def test_without_a_baseline_nothing_is_said(before: str | None):
    assert describe_changes(BEFORE, before) == ""


def test_the_preset_is_told_by_its_heading(tmp_path: Path):
    (tmp_path / "moths.yaml").write_text("# Moths on sheets.\na: 1\n", encoding="utf-8")
    (tmp_path / "plants.yaml").write_text("# Plants.\na: 1\n", encoding="utf-8")
    assert preset_of("# Plants.\n# Written by a command.\na: 2", tmp_path) == "plants"
    assert preset_of("# My own.\na: 2", tmp_path) is None
    assert preset_of("a: 2", tmp_path) is None
    assert preset_of((ROOT / "params.yaml").read_text(encoding="utf-8"), ROOT / "presets") == "sample"
