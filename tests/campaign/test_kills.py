"""DVC, a stage or one of its workers is killed at 21 moments of the data half; the end is as if undisturbed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from fieldguide.files import file_sha256
from tests.pipeline.project import ROOT, Project

NUM_ROUNDS = 7
SOONEST_S, LATEST_S = 1.0, 8.0
LAST_STAGE = "tfrecord"
DVC = str(Path(sys.executable).parent / "dvc")
MARKS = {"dvc": DVC, "stage": "stages.", "worker": "loky"}
"""By what is killed, a part of the command of its process."""
REMEDIES = {"Unable to read RWLock-file": ("rm", ".dvc/tmp/rwlock"), "dvc.lock": ("git", "checkout", "dvc.lock")}
"""What DVC says if it was killed while it wrote one of its own files, and what docs/pipeline.md tells to do."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A clone of this repository with its photographs and two workers a stage."""
    project = Project(ROOT, {"FIELDGUIDE_TRACKING": "off"}).clone(tmp_path / "clone")
    workers = [f"{stage}.engine.workers=2" for stage in ("fetch", "clean", "resize")]
    shards = ["fetch.photos_per_shard=50", "resize.photos_per_shard=50"]
    project.run("python", "-m", "fieldguide", "preset", "sample", "--set", *workers, *shards)
    project.run("dvc", "pull", "--quiet", "data.dvc")
    return project


@pytest.mark.slow
def test_kills_change_nothing(project: Project):
    project.run("dvc", "repro", "--quiet", LAST_STAGE)
    undisturbed = digests(project)
    start_over(project)
    draw = random.Random(20261126)
    for target in [*MARKS] * NUM_ROUNDS:
        while not kill(project, target, draw.uniform(SOONEST_S, LATEST_S)):
            assert digests(project) == undisturbed
            start_over(project)
    project.run("dvc", "repro", LAST_STAGE)
    assert digests(project) == undisturbed
    assert "up to date" in project.run("dvc", "repro", LAST_STAGE)


def kill(project: Project, target: str, after_s: float) -> bool:
    """Start the pipeline and kill `target` after so many seconds, or once there is one; False if the end came first.

    Nothing may be left running, and nobody gets to read a traceback.
    """
    environment = {**os.environ, **project.env, "PATH": f"{Path(DVC).parent}:{os.environ['PATH']}"}
    command = [DVC, "repro", LAST_STAGE]
    log = project.root / ".dvc" / "tmp" / "output.txt"
    with log.open("w") as stream:
        running = psutil.Popen(command, cwd=project.root, env=environment, stdout=stream, stderr=subprocess.STDOUT)
    began = time.monotonic()
    victims: list[psutil.Process] = []
    while running.poll() is None and not victims:
        time.sleep(0.02)
        if time.monotonic() - began > after_s:
            with suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
                family = [running, *running.children(recursive=True)]
                victims = find(family, MARKS[target])[:1]
                for victim in victims:
                    victim.kill()
    returncode = running.wait(120)
    output = log.read_text()
    if remedy := next((remedy for sign, remedy in REMEDIES.items() if returncode and sign in output), None):
        project.run(*remedy)
        return kill(project, target, after_s)
    assert "Traceback" not in output, output
    if not victims or returncode == 0:
        assert returncode == 0, output
        return False
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, f"still running after {target} was killed: {[process.cmdline() for process in alive]}"
    assert returncode == (-signal.SIGKILL if target == "dvc" else 255), output
    return True


def find(family: list[psutil.Process], mark: str) -> list[psutil.Process]:
    found = []
    for process in family:
        try:
            if any(mark in part for part in process.cmdline()[1:3]):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def digests(project: Project) -> dict[str, str]:
    folder = project.root / "interim"
    return {str(file.relative_to(folder)): file_sha256(file) for file in sorted(folder.rglob("*")) if file.is_file()}


def start_over(project: Project) -> None:
    """Leave nothing of what ran, so that every stage runs again."""
    shutil.rmtree(project.root / "interim", ignore_errors=True)
    shutil.rmtree(project.root / ".dvc" / "cache", ignore_errors=True)
    project.run("git", "checkout", "--quiet", "dvc.lock")
