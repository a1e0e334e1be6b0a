"""DVC, a stage or one of its workers is killed at twenty moments of the data half; the end is as if undisturbed."""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from fieldguide.files import file_sha256
from tests.pipeline.project import ROOT, Project

NUM_KILLS = 20
SOONEST_S, LATEST_S = 1.0, 8.0
LAST_STAGE = "tfrecord"
REMEDIES = {"Unable to read RWLock-file": ("rm", ".dvc/tmp/rwlock"), "dvc.lock": ("git", "checkout", "dvc.lock")}
"""What DVC says if it was killed while it wrote one of its own files, and what docs/pipeline.md tells to do."""
MARKS = {"dvc": "dvc", "stage": "stages.", "worker": "loky"}
"""By what is killed, a part of the command of its process."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A clone of this repository with its photographs and two workers a stage."""
    project = Project(ROOT, {"FIELDGUIDE_TRACKING": "off"}).clone(tmp_path / "clone")
    workers = [f"{stage}.engine.workers=2" for stage in ("fetch", "clean", "resize")]
    shards = ["fetch.photos_per_shard=50", "resize.photos_per_shard=50"]
    project.run("python", "-m", "fieldguide", "preset", "sample", "--set", *workers, *shards)
    project.run("dvc", "pull", "--quiet", "data.dvc")
    return project


def digests(project: Project) -> dict[str, str]:
    folder = project.root / "interim"
    return {str(file.relative_to(folder)): file_sha256(file) for file in sorted(folder.rglob("*")) if file.is_file()}


def start(project: Project) -> subprocess.Popen[str]:
    environment = {**os.environ, **project.env, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [str(Path(sys.executable).parent / "dvc"), "repro", LAST_STAGE]
    return subprocess.Popen(
        command, cwd=project.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def start_over(project: Project) -> None:
    shutil.rmtree(project.root / "interim", ignore_errors=True)
    shutil.rmtree(project.root / ".dvc" / "cache" / "runs", ignore_errors=True)


@pytest.mark.slow
def test_twenty_kills_change_nothing(project: Project):
    project.run("dvc", "repro", "--quiet", LAST_STAGE)
    undisturbed = digests(project)
    start_over(project)
    draw = random.Random(20261126)
    killed = dict.fromkeys(MARKS, 0)
    while sum(killed.values()) < NUM_KILLS:
        running = start(project)
        try:
            output, _ = running.communicate(timeout=draw.uniform(SOONEST_S, LATEST_S))
            if remedies := [remedy for sign, remedy in REMEDIES.items() if sign in output]:
                project.run(*remedies[0])
                continue
            assert running.returncode == 0, output
            assert digests(project) == undisturbed
            start_over(project)
            continue
        except subprocess.TimeoutExpired:
            family = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
        target = draw.choice([name for name, mark in MARKS.items() if find(family, mark)])
        find(family, MARKS[target])[0].kill()
        killed[target] += 1
        output, _ = running.communicate(timeout=60)
        assert "Traceback" not in output, output
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not alive, f"still running after {target} was killed: {[process.cmdline() for process in alive]}"
        assert running.returncode == (-signal.SIGKILL if target == "dvc" else 255), output
    assert min(killed.values()) > 0, killed
    project.run("dvc", "repro", LAST_STAGE)
    assert digests(project) == undisturbed
    assert "up to date" in project.run("dvc", "repro", LAST_STAGE)


def find(family: list[psutil.Process], mark: str) -> list[psutil.Process]:
    found = []
    for process in family:
        try:
            if any(mark in part for part in process.cmdline()[1:3]):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found
