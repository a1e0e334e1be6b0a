"""What TensorBoard reads is what MLflow gets, and a sweep hears of every epoch, with MLflow switched off too."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fieldguide.track import stage_run
from fieldguide.track.epoch_log import Event, read_events

READ = """
import json, sys
from pathlib import Path
from tensorflow.python.summary.summary_iterator import summary_iterator

found = []
for file in sorted(Path(sys.argv[1]).iterdir()):
    for event in summary_iterator(str(file)):
        found += [[event.step, value.tag, value.simple_value] for value in event.summary.value]
print(json.dumps(found))
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of an experiment, not the main repository."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "params.yaml").write_text("train: {lr: 0.1}\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    for name, value in {
        "DVC_ROOT": str(tmp_path),
        "DVC_EXP_NAME": "warmer/lr=0.1",
        "DVC_EXP_BASELINE_REV": "0123456789",
        "FIELDGUIDE_TRACKING": "off",
        "FIELDGUIDE_TENSORBOARD": "boards",
        "FIELDGUIDE_EPOCHS": str(tmp_path / "epochs.jsonl"),
    }.items():
        monkeypatch.setenv(name, value)
    return folder


def test_tensorflow_reads_the_curves(workspace: Path):
    # A run that was killed after epoch 1, and goes on.
    for epochs in ((0, 1), (1, 2)):
        with stage_run.stage_run("train-teacher-global", {}):
            for epoch in epochs:
                stage_run.log_epoch(epoch, {"val_top1": 0.25 * epoch, "lr": 0.5})
    [run] = (workspace.parent / "boards").iterdir()
    assert run.name.startswith("warmer_lr=0.1 ")
    reading = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ, str(run / "train-teacher-global")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    points = [tuple(point) for point in json.loads(reading.stdout)]
    assert set(points) == {(epoch, name, value) for epoch in range(3) for name, value in
                           (("val_top1", 0.25 * epoch), ("lr", 0.5))}  # fmt: skip
    events = list(read_events(workspace.parent / "epochs.jsonl"))
    assert events[:2] == [
        Event("train-teacher-global", str(workspace)),
        Event("train-teacher-global", str(workspace), 0, {"val_top1": 0.0, "lr": 0.5}),
    ]
    assert [event.epoch for event in events] == [None, 0, 1, None, 1, 2]


def test_nobody_asks_and_nothing_is_written(workspace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("FIELDGUIDE_TENSORBOARD")
    monkeypatch.delenv("FIELDGUIDE_EPOCHS")
    with stage_run.stage_run("train-teacher-global", {}):
        stage_run.log_epoch(0, {"val_top1": 0.5})
    assert [path.name for path in workspace.parent.iterdir()] == ["workspace"]


def test_only_the_first_process_of_a_torchrun_writes(workspace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RANK", "1")
    with stage_run.stage_run("train-teacher-global", {}):
        stage_run.log_epoch(0, {"val_top1": 0.5})
    assert [path.name for path in workspace.parent.iterdir()] == ["workspace"]


def test_half_a_line_is_not_read_yet(tmp_path: Path):
    file = tmp_path / "epochs.jsonl"
    assert list(read_events(file)) == []
    file.write_text('{"stage": "embed", "workspace": "/w", "epoch": null, "values": null}\n{"stage": "em')
    assert list(read_events(file)) == [Event("embed", "/w")]
