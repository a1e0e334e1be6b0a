"""Fetch killed at any moment, and on a full disk: nothing is lost, and the end is the same."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.photo_server import PhotoServer, photo_bytes
from tests.stages.fetching import digests, observe, photo_urls, photos_of, run, start


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_any_moment_and_run_again_gives_the_same(workspace: Path, server: PhotoServer, workers: int) -> None:
    engine = {"backend": "loky", "workers": workers}
    paths = [*(f"photo/{number}" for number in range(60)), "404/a", "photo/3"]
    observe(workspace, *map(server.url, paths))
    run(workspace, "undisturbed", engine=engine)
    server.asked.clear()
    server.pause_s = 0.05
    for _ in range(2):
        stage = start(workspace, engine=engine, concurrency=4)
        asked = sum(server.asked.values()) + random.randint(1, 30)
        while stage.poll() is None and sum(server.asked.values()) < asked:
            time.sleep(0.01)
        os.killpg(stage.pid, signal.SIGKILL)
        stage.communicate()
    server.pause_s = 0
    _, errors = (stage := start(workspace, engine=engine)).communicate()
    assert stage.returncode == 0, errors
    assert digests(workspace / "out") == digests(workspace / "undisturbed")
    # What was finished before a kill was not asked for again: at most the shards in flight were.
    assert sum(server.asked.values()) <= 61 + 2 * 4 * 2 * workers


@pytest.mark.slow
def test_twenty_kills_and_every_kind_of_failure(workspace: Path, server: PhotoServer) -> None:
    faults = [
        "404",
        "410",
        "403",
        "429",
        "500",
        "503",
        "reset",
        "truncated",
        "stalled",
        "silent",
        "dribbling",
        "endless",
    ]
    paths = [f"photo/{number}" for number in range(80)]
    for number, fault in enumerate([*faults, "page", "empty", "large", "loop", "redirect/ftp://a.org"]):
        paths.insert(5 * number, f"{fault}/{number}" if not fault.startswith("redirect") else fault)
    paths += [f"once/{code}/{number}" for number, code in enumerate((429, 500, 503))]
    observe(workspace, *map(server.url, paths))
    engine = {"backend": "loky", "workers": 2}
    limits = {"engine": engine, "read_timeout_s": 0.3, "total_timeout_s": 0.8, "retries": 1}
    for _ in range(20):
        stage = start(workspace, **limits)
        with contextlib.suppress(subprocess.TimeoutExpired):
            stage.wait(random.uniform(0.5, 4))
        if stage.poll() is None:
            os.killpg(stage.pid, signal.SIGKILL)
        stage.communicate()
    _, errors = (stage := start(workspace, **limits)).communicate()
    assert stage.returncode == 0, errors
    statuses = run(workspace, "undisturbed", **limits)["statuses"]
    assert digests(workspace / "out") == digests(workspace / "undisturbed")
    photos = [photo for photo in photos_of(workspace / "out") if photo is not None]
    assert sorted(photos) == sorted(
        [photo_bytes(str(number)) for number in range(80)]
        + [photo_bytes(f"{code}/{number}") for number, code in enumerate((429, 500, 503))]
        + [b"<html>not a photo</html>", b""]
    )
    assert {status: count for status, count in statuses.items() if count} == {
        "ok": 85,
        "missing": 2,
        "http_error": 4,
        "connection_error": 1,
        "incomplete": 1,
        "timeout": 3,
        "too_large": 2,
        "too_many_redirects": 1,
        "refused": 1,
    }


@pytest.fixture
def small_disk(workspace: Path) -> Iterator[Path]:
    """A file system of 400 kB below the workspace."""
    disk = workspace / "disk"
    disk.mkdir()
    mounted = (
        shutil.which("mount") is not None
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("no right to mount a small file system here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_one_line_and_loses_nothing(
    workspace: Path, server: PhotoServer, small_disk: Path, workers: int
) -> None:
    engine = {"backend": "loky", "workers": workers}
    observe(workspace, *photo_urls(server, range(200)))
    stage = start(workspace, "disk/out", engine=engine, photos_per_shard=20)
    _, errors = stage.communicate()
    assert stage.returncode == 1
    assert errors.startswith("fetch: No space left on device")
    assert errors.count("\n") == 1
    finished = list((small_disk / "out" / "ledger").glob("*.parquet"))
    assert finished
    subprocess.run(["mount", "-o", "remount,size=40m", str(small_disk)], check=True)
    server.asked.clear()
    run(workspace, "disk/out", photos_per_shard=20)
    assert sum(server.asked.values()) == 200 - 20 * len(finished)
    run(workspace, "undisturbed", photos_per_shard=20)
    assert digests(small_disk / "out") == digests(workspace / "undisturbed")
