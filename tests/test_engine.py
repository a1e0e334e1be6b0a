"""Shards are worked on in any number of processes, and come back in order."""

import logging
import os
import signal
import time
from functools import partial
from pathlib import Path

import joblib
import pytest

from fieldguide import progress
from fieldguide.engine import EngineParams, count_workers, map_shards, run_isolated
from fieldguide.errors import FieldguideError, ParamsError, RecordError


def square_slowly_at_first(task: int) -> int:
    time.sleep(0.05 if task == 0 else 0)
    return task * task


def fail_at(bad: int, task: int) -> int:
    if task == bad:
        raise RecordError(f"shard {task} is damaged")
    return task


@pytest.mark.parametrize(("backend", "workers"), [("loky", 1), ("loky", 2), ("loky", 0)])
def test_results_come_in_the_order_of_tasks(backend: str, workers: int):
    params = EngineParams(backend=backend, workers=workers)
    assert list(map_shards(square_slowly_at_first, range(9), params, "squaring")) == [n * n for n in range(9)]


def list_folder(_: int) -> list[str]:
    return [path.name for path in Path().iterdir()]


def test_processes_work_where_the_caller_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"here is {name}").touch()
        monkeypatch.chdir(tmp_path / name)
        found = map_shards(list_folder, range(2), EngineParams(backend="loky", workers=2), "listing")
        assert list(found) == [[f"here is {name}"]] * 2


def wait_for_word(folder: Path, task: int) -> int:
    """Task 3 waits until somebody has taken the result of task 0."""
    deadline = time.monotonic() + 60
    while task == 3 and not (folder / "taken").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return task if (folder / "taken").exists() or task != 3 else -1


def end_outright(parent: int, task: int) -> int:
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_as_soon_as_it_is_there(tmp_path: Path, monkeypatch, caplog):
    pytest.importorskip("distributed", reason="dask is an extra: uv pip install distributed")
    monkeypatch.setattr(progress, "FIRST_LOG_S", -1)
    caplog.set_level(logging.INFO)
    params = EngineParams(backend="dask", workers=2)
    results = map_shards(partial(wait_for_word, tmp_path), range(9), params, "squaring")
    assert next(results) == 0
    (tmp_path / "taken").touch()
    assert list(results) == list(range(1, 9))
    shown = [message.split(",")[0] for message in caplog.messages if message.startswith("squaring")]
    assert shown == [f"squaring: {done} of 9 shards" for done in range(1, 9)]
    with pytest.raises(RecordError, match="shard 3 is damaged"):
        list(map_shards(partial(fail_at, 3), range(6), params, "failing"))


def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    dask = pytest.importorskip("dask", reason="dask is an extra: uv pip install distributed")
    with (
        dask.config.set({"distributed.comm.timeouts.connect": 0.1}),
        pytest.raises(ParamsError, match=r"engine backend 'tcp://127.0.0.1:9': no scheduler answers there"),
    ):
        list(map_shards(fail_at, range(2), EngineParams(backend="tcp://127.0.0.1:9", workers=1), "squaring"))


def test_no_tasks_give_no_results():
    assert list(map_shards(square_slowly_at_first, [], EngineParams(backend="loky", workers=2), "squaring")) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_worker_is_raised_here(workers: int):
    params = EngineParams(backend="loky", workers=workers)
    with pytest.raises(RecordError, match="shard 3 is damaged"):
        list(map_shards(partial(fail_at, 3), range(6), params, "failing"))


def test_a_worker_that_is_killed_is_one_line():
    params = EngineParams(backend="loky", workers=2)
    with pytest.raises(FieldguideError, match="killed, or out of memory"):
        list(map_shards(partial(end_outright, os.getpid()), range(4), params, "ending"))
    with pytest.raises(FieldguideError, match="killed, or out of memory"):
        run_isolated(end_outright, os.getpid(), 0)


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match=r"should match pattern .*loky\|dask"):
        EngineParams(backend="spark", workers=1)


def test_zero_workers_means_every_core():
    assert count_workers(0) == joblib.cpu_count()
    assert count_workers(3) == 3


def test_an_isolated_call_runs_in_another_process():
    assert run_isolated(os.getpid) != os.getpid()
