"""Trainings as steps of a real Slurm: any number of tasks on any number of nodes do what one process does."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fieldguide.presets import expand, load_overlay, write_params
from tests.learn.real_slurm import Slurm, running_cluster, why_not
from tests.learn.test_processes import WITHOUT_BATCHNORM, curves

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=why_not() or "")]

SMALL: dict[str, Any] = {
    **WITHOUT_BATCHNORM,
    "image_size": 32,
    "transforms": [],
    "epochs": 2,
    "batch_size": 8,
    "checkpoint_steps": 1,
}


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with running_cluster(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


def start(slurm: Slurm, folder: Path, tfrecord: Path, *launcher: str, **changes: Any) -> "subprocess.Popen[str]":
    """The stage itself, in a folder of its own."""
    overlay = load_overlay("sample")
    overlay["split"] = {**overlay["split"], "ranks": ["species", "genus"]}
    overlay["templates"]["training"]["rank_weights"] = {"species": 1.0, "genus": 0.3}
    params = expand(overlay)
    params["train_teacher"]["global"].update({**SMALL, **changes})
    folder.mkdir(exist_ok=True)
    write_params(params, folder / "params.yaml")
    command = [*launcher, sys.executable, "-m", "stages.train_teacher", "--teacher", "global"]
    command += ["--tfrecord", str(tfrecord), "--embed", "none", "--out", "out"]
    own = {"PYTHONPATH": str(ROOT), "DVC_ROOT": str(folder), "FIELDGUIDE_TRACKING": "off", "LOKY_MAX_CPU_COUNT": "2"}
    inherited = {key: value for key, value in slurm.variables.items() if key not in ("RANK", "WORLD_SIZE")}
    return subprocess.Popen(
        command, cwd=folder, env={**inherited, **own}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.fixture(scope="module")
def alone(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory, tfrecord: Path) -> Path:
    """What one process made."""
    folder = tmp_path_factory.mktemp("alone")
    process = start(slurm, folder, tfrecord)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return folder


@pytest.mark.parametrize(
    "launcher",
    [("srun", "--nodes", "1", "--ntasks", "2"), ("srun", "--nodes", "2", "--ntasks-per-node", "1"), ("srun",)],
)
def test_a_step_of_slurm_has_the_curves_of_one_process(
    slurm: Slurm, alone: Path, tmp_path: Path, tfrecord: Path, launcher: tuple[str, ...]
):
    process = start(slurm, tmp_path / "step", tfrecord, *launcher)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    for one, step in zip(curves(alone / "out"), curves(tmp_path / "step" / "out"), strict=True):
        assert step == pytest.approx(one, abs=1e-5)


@pytest.mark.parametrize("meeting", [(), ("env", "MASTER_ADDR=127.0.0.1")], ids=["by itself", "told where to meet"])
def test_a_step_with_more_tasks_on_one_machine_is_refused(
    slurm: Slurm, tmp_path: Path, tfrecord: Path, meeting: tuple[str, ...]
):
    process = start(slurm, tmp_path, tfrecord, "srun", "--nodes", "2", "--ntasks", "3", *meeting)
    said, _ = process.communicate()
    assert process.returncode == 1
    assert "srun has 2,1 tasks on its machines; expected as many on each (--ntasks-per-node)" in said
    assert "Traceback" not in said


def test_a_job_that_slurm_cancels_is_taken_up(slurm: Slurm, tmp_path: Path, tfrecord: Path):
    two = ("srun", "--nodes", "2", "--ntasks-per-node", "1")
    process = start(slurm, tmp_path, tfrecord, *two, epochs=300, workers=1)
    history = tmp_path / "out" / "history.csv"
    while not history.exists() and process.poll() is None:
        time.sleep(0.05)
    slurm.ask("scancel", slurm.ask("squeue", "-h", "-o", "%i"))
    said, _ = process.communicate()
    assert "stopped at epoch" in said
    num_done = len(curves(tmp_path / "out"))
    again = start(slurm, tmp_path, tfrecord, *two, epochs=300, workers=1)
    lines = []
    assert again.stdout is not None
    for line in again.stdout:
        lines.append(line)
        if "resuming at epoch" in line:
            break
    again.terminate()
    again.communicate()
    assert f"resuming at epoch {num_done + 1} of 300" in "".join(lines)
