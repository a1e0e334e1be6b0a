"""What dvc.yaml, dvc.lock and .dvc files say about a stage."""

from pathlib import Path

import pytest

from fieldguide.track.lockfile import TrackedPath, stage_inputs, stages_before

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
    do: {deps: [stages/teach.py, interim/split, "interim/${key}"], outs: ["models/teachers/${key}"]}
  distill: {deps: [interim/split, models/teachers], outs: [models/student]}
""",
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
