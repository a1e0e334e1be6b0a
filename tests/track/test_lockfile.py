"""What dvc.yaml, dvc.lock and .dvc files say about a stage."""

import copy
from pathlib import Path
from typing import Any

import pytest

from fieldguide.track.lockfile import TrackedPath, consistent_stages, stage_inputs, stages_before

DATA = TrackedPath("data", "0" * 32 + ".dir", None)
SPLIT = TrackedPath("interim/split", "1" * 32 + ".dir", "split")
ONE = TrackedPath("models/teachers/one", "2" * 32 + ".dir", "teach@one")
TWO = TrackedPath("models/teachers/two", "3" * 32 + ".dir", "teach@two")

FILES = {
    "data.dvc": f"outs: [{{md5: {DATA.digest}, path: data}}]",
    "dvc.yaml": """
stages:
  split: {deps: [stages/split.py, data/observations.jsonl], outs: [interim/split]}
  teach:
    foreach: ${train}
    do:
      deps: [stages/teach.py, interim/split, "interim/${key}", "models/teachers/${item.start}"]
      outs: ["models/teachers/${key}"]
  distill: {deps: [interim/split, models/teachers], outs: [models/student]}
""",
    "params.yaml": "train: {one: {start: null}, two: {start: one}}",
    "dvc.lock": f"""
stages:
  split:
    deps: [{{path: stages/split.py, md5: abc}}, {{path: data/observations.jsonl, md5: abc}}]
    outs: [{{path: interim/split, md5: {SPLIT.digest}}}, {{path: metrics/split.json, md5: def}}]
  teach@one:
    deps: [{{path: interim/split, md5: abc}}]
    outs: [{{path: models/teachers/one, md5: {ONE.digest}}}]
  teach@two:
    deps: [{{path: interim/split, md5: abc}}]
    outs: [{{path: models/teachers/two, md5: {TWO.digest}}}]
  distill:
    deps: []
    outs: [{{path: models/student, md5: of the run before}}]
""",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("stage", "inputs", "before"),
    [
        ("split", [DATA], []),
        ("teach@one", [SPLIT], ["split"]),
        ("teach@two", [SPLIT, ONE], ["split", "teach@one"]),
        ("distill", [SPLIT, ONE, TWO], ["split", "teach@one", "teach@two"]),
        ("unheard-of", [], []),
        ("", [], []),
    ],
)
def test_inputs_and_stages_before(root: Path, stage: str, inputs: list[TrackedPath], before: list[str]):
    assert stage_inputs(stage, root) == inputs
    assert stages_before(stage, root) == before


def test_without_dvc_there_are_no_inputs(tmp_path: Path):
    assert stage_inputs("split", tmp_path) == []
    assert stages_before("split", tmp_path) == []


LOCK: dict[str, Any] = {
    "stages": {
        "fetch": {
            "params": {"params.yaml": {"fetch": {"a": 1}}},
            "deps": [{"path": "data", "md5": "0"}],
            "outs": [{"path": "interim/fetch", "md5": "1"}],
        },
        "teach@one": {
            "params": {"params.yaml": {"teach.one": {"epochs": 3}}},
            "deps": [{"path": "interim/fetch/catalogue", "md5": "2"}],
            "outs": [{"path": "models/one", "md5": "3"}],
        },
        "evaluate": {"deps": [{"path": "models", "md5": "4"}], "outs": [{"path": "reports", "md5": "5"}]},
        "export": {"deps": [{"path": "reports", "md5": "5"}], "outs": [{"path": "bundle", "md5": "6"}]},
    }
}
PARAMS: dict[str, Any] = {"fetch": {"a": 1}, "teach": {"one": {"epochs": 3}}, "export": {}}


@pytest.mark.parametrize(
    ("params", "reports", "consistent"),
    [
        (PARAMS, "5", {"fetch", "teach@one", "evaluate", "export"}),
        (PARAMS | {"fetch": {"a": 2}}, "5", set()),
        (PARAMS | {"teach": {}}, "5", {"fetch"}),
        (PARAMS, "another run's", {"fetch", "teach@one", "evaluate"}),
    ],
)
def test_what_ran_together(params: dict[str, Any], reports: str, consistent: set[str]):
    lock = copy.deepcopy(LOCK)
    lock["stages"]["evaluate"]["outs"][0]["md5"] = reports
    assert consistent_stages(lock, params) == consistent
    assert consistent_stages({}, params) == set()
