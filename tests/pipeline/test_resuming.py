"""Experiments use DVC's run cache, and one that was stopped goes on where it stood."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.pipeline_file import read_stages
from tests.pipeline.project import IDENTITY, Project

FOLDERS = ".cache/checkpoints"


def settings(**changes: object) -> list[str]:
    """`-S` options for the student."""
    return [word for key, value in changes.items() for word in ("-S", f"distill_student.{key}={value}")]


def test_only_fetch_keeps_its_outputs():
    # An output that persists keeps its stage out of DVC's run cache.
    kept = [path for stage in read_stages() for path, options in stage.listed("outs") if options.get("persist")]
    assert kept == ["interim/fetch"]


@pytest.mark.slow
def test_a_known_setting_is_restored_instead_of_trained(built_clone: Project, tmp_path: Path):
    project = built_clone.clone_with_outputs(tmp_path / "clone")
    weights = project.root / "models/student/model.safetensors"
    trained = {}
    for temperature in (5, 4):
        options = settings(temperature=temperature, epochs=1, max_samples=64, views=1)
        assert "val top-1" in project.run("dvc", "exp", "run", *options, "distill-student")
        trained[temperature] = weights.read_bytes()
    assert trained[5] != trained[4]
    again = project.run("dvc", "exp", "run", *settings(temperature=5), "distill-student")
    assert "Stage 'distill-student' is cached - skipping run" in again
    assert "val top-1" not in again
    assert weights.read_bytes() == trained[5]
    assert list((project.root / FOLDERS).iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("where", [[], ["--temp"]])
def test_an_experiment_that_was_stopped_goes_on(built_clone: Project, tmp_path: Path, where: list[str]):
    project = built_clone.clone_with_outputs(tmp_path / "clone")
    options = settings(epochs=4, max_samples=96, views=1, checkpoint_steps=1)
    command = ["dvc", "exp", "run", *where, *options, "distill-student"]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    with subprocess.Popen(
        command,
        cwd=project.root,
        env={**os.environ, **IDENTITY, "PATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 600
        # One that has its digest for a name: new.ckpt is still to be believed.
        while not list((project.root / FOLDERS).glob("distill-student-*/attempt-*/[0-9a-f]*.ckpt")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # What a terminal sends on Ctrl-C: to DVC and to the stage alike.
        os.killpg(process.pid, signal.SIGINT)
    assert process.returncode != 0
    output = project.run(*command)
    assert "resuming at epoch" in output
    assert list((project.root / FOLDERS).iterdir()) == []
