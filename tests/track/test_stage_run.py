"""Tracking costs a stage nothing when it is off or broken, and tells how a stage ended."""

import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fieldguide.track import stage_run
from tests.pipeline.project import ROOT
from tests.pipeline.recorded import read_recorded

STAGE = """
import logging, sys, time
from pathlib import Path
import numpy as np
from fieldguide.track import stage_run

logging.basicConfig(level=logging.INFO, format="%(message)s")
with stage_run.stage_run("resize", {"size": 112}):
    stage_run.log_epoch(0, {"loss": np.float32(1.5)})
    stage_run.log_metrics({"num_photos": 3})
    if sys.argv[1:] == ["many"]:
        for epoch in range(2000):
            stage_run.log_epoch(epoch, {f"loss_of_class_{number}": 0.5 for number in range(20)})
    Path("reached").touch()
    if sys.argv[1:] == ["fail"]:
        raise RuntimeError("the stage's own")
    if sys.argv[1:] == ["wait"]:
        time.sleep(600)
print([name for name in ("mlflow", "pandas") if name in sys.modules])
"""

NOBODY = "http://127.0.0.1:9"
"""An address where no server listens."""


@pytest.fixture
def run(tmp_path: Path):
    def start(*arguments: str, root: Path = tmp_path, **env: str) -> subprocess.Popen[str]:
        (root / "params.yaml").write_text("resize: {size: 112}\n", encoding="utf-8")
        return subprocess.Popen(
            [sys.executable, "-c", STAGE, *arguments],
            cwd=root,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def wait_until(condition: Callable[[], bool], at_most_s: float = 120) -> None:
    deadline = time.monotonic() + at_most_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)


def test_without_a_run_nothing_happens():
    stage_run.log_metrics({"top1": 0.5})
    stage_run.log_epoch(1, {"loss": 0.5})
    stage_run.log_artifact(Path("absent"))


def test_off_means_no_recorder(run, tmp_path: Path):
    with run(FIELDGUIDE_TRACKING="off") as stage:
        output, errors = stage.communicate()
    assert (stage.returncode, output, errors) == (0, "[]\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["params.yaml", "reached"]


def test_only_the_first_process_of_a_torchrun_records(run, tmp_path: Path):
    with run(RANK="1") as stage:
        assert stage.communicate() == ("[]\n", "")
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.slow
def test_a_broken_mlflow_is_one_warning(run, tmp_path: Path):
    with run(MLFLOW_TRACKING_URI=NOBODY) as stage:
        output, errors = stage.communicate()
    assert (stage.returncode, output) == (0, "[]\n")
    assert len(errors.splitlines()) == 1
    assert errors.startswith("MLflow failed, this stage is not in its records: MlflowException: API request to")


@pytest.mark.slow
def test_a_broken_mlflow_is_an_error_where_tracking_is_strict(run, tmp_path: Path):
    with run(MLFLOW_TRACKING_URI=NOBODY, FIELDGUIDE_TRACKING="strict") as stage:
        _, errors = stage.communicate()
    assert stage.returncode == 1
    assert "FieldguideError: MLflow failed, this stage is not in its records" in errors
    assert (tmp_path / "reached").exists()


@pytest.mark.slow
def test_a_run_says_how_its_stage_ended(run, tmp_path: Path):
    with run() as stage:
        output, errors = stage.communicate()
    # Neither MLflow nor what it brings along is in the stage's process, nor is any of its chatter on the terminal.
    assert (stage.returncode, output, errors) == (0, "[]\n", "")
    with run("fail") as stage:
        _, errors = stage.communicate()
    assert "RuntimeError: the stage's own" in errors
    (tmp_path / "reached").unlink()
    with run("wait") as stage:
        wait_until((tmp_path / "reached").exists)
        stage.send_signal(signal.SIGKILL)

    def statuses() -> list[str]:
        (parent,) = read_recorded(tmp_path)
        return [child.status for child in parent.children]

    # The recorder outlives a stage that was killed by the moment it takes to write its last words.
    wait_until(lambda: statuses()[2:] == ["KILLED"])
    assert statuses() == ["FINISHED", "FAILED", "KILLED"]
    (parent,) = read_recorded(tmp_path)
    assert parent.name.startswith("repro ")
    assert parent.params == {"resize.size": "112"}
    assert parent.metrics == {"resize.num_photos": 3}
    assert all(child.curves["loss"] == [(0, 1.5)] for child in parent.children)


@pytest.mark.slow
def test_a_server_that_hangs_does_not_hold_up_the_stage(run, tmp_path: Path):
    answered: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    answered.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        with run("many", MLFLOW_TRACKING_URI=f"http://127.0.0.1:{server.getsockname()[1]}") as stage:
            wait_until((tmp_path / "reached").exists)
            # The recorder still waits for its first answer, or has not even asked.
            assert len(answered) <= 1
            _, errors = stage.communicate()
    for connection in answered:
        connection.close()
    assert stage.returncode == 0
    assert errors.startswith("MLflow failed, this stage is not in its records: ")
    assert len(errors.splitlines()) == 1


@pytest.mark.slow
def test_a_repository_with_an_odd_name_that_is_moved_keeps_its_runs(run, tmp_path: Path):
    old, new = tmp_path / "50%20 what?", tmp_path / "it's moved"
    old.mkdir()
    with run(root=old) as stage:
        assert stage.communicate() == ("[]\n", "")
    assert {path.name for path in tmp_path.iterdir()} == {old.name}
    old.rename(new)
    with run(root=new) as stage:
        assert stage.communicate() == ("[]\n", "")
    assert {path.name for path in tmp_path.iterdir()} == {new.name}
    (parent,) = read_recorded(new)
    assert [child.status for child in parent.children] == ["FINISHED", "FINISHED"]
    assert parent.artifacts == ["metrics/resize.json", "params.yaml"]


@pytest.mark.slow
def test_a_relative_place_is_that_of_the_main_repository(run, tmp_path: Path):
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with run(root=workspace, DVC_ROOT=str(tmp_path), MLFLOW_TRACKING_URI="sqlite:///runs.db") as stage:
        assert stage.communicate() == ("[]\n", "")
    assert {path.name for path in workspace.iterdir()} == {"params.yaml", "reached"}
    (parent,) = read_recorded(tmp_path, f"sqlite:///{tmp_path}/runs.db")
    assert parent.metrics == {"resize.num_photos": 3}


@pytest.fixture(scope="module")
def store() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's and its dependencies' own
        from fieldguide.track import mlflow_store
    return mlflow_store


def test_numbers_are_flattened_and_everything_else_is_left_out(store: Any):
    metrics: dict[str, Any] = {"a": {"b": 1, "c": {"d": 0.5}}, "list": [1], "text": "x", "flag": True, "none": None}
    metrics |= {"p@k": 2, "names": ["x", "y"], "rate_interval": [0.25, 0.75]}
    found = {metric.key: metric.value for metric in store.to_metrics(metrics, 7, prefix="stage.")}
    assert found == {"stage.a.b": 1, "stage.a.c.d": 0.5, "stage.p_k": 2} | {
        "stage.rate_interval.low": 0.25,
        "stage.rate_interval.high": 0.75,
    }


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("top1", "top1"),
        ("train-teacher@global.top-1", "train-teacher_global.top-1"),
        ("recall[Äpfel, grün]", "recall_Äpfel_ grün_"),
        ("a/b", "a_b"),
        ("x" * 300, "x" * 250),
    ],
)
def test_names_are_made_acceptable(store: Any, name: str, allowed: str):
    assert store.allowed_name(name) == allowed
