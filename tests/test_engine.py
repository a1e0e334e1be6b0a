"""Shards are worked on in any number of processes, and come back in order."""

import io
import logging
import os
import re
import signal
import time
from functools import partial

import joblib
import pytest

from fieldguide import engine
from fieldguide.engine import EngineParams, Watch, count_workers, map_shards, run_isolated, show_progress
from fieldguide.errors import FieldguideError, RecordError


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


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same():
    pytest.importorskip("distributed", reason="dask is an extra: uv pip install distributed")
    params = EngineParams(backend="dask", workers=2)
    assert list(map_shards(square_slowly_at_first, range(9), params, "squaring")) == [n * n for n in range(9)]


def test_no_tasks_give_no_results():
    assert list(map_shards(square_slowly_at_first, [], EngineParams(backend="loky", workers=2), "squaring")) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_worker_is_raised_here(workers: int):
    params = EngineParams(backend="loky", workers=workers)
    with pytest.raises(RecordError, match="shard 3 is damaged"):
        list(map_shards(partial(fail_at, 3), range(6), params, "failing"))


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match=r"should match pattern .*loky\|dask"):
        EngineParams(backend="spark", workers=1)


def test_zero_workers_means_every_core():
    assert count_workers(0) == joblib.cpu_count()
    assert count_workers(3) == 3


def test_progress_is_log_lines_where_there_is_no_terminal(monkeypatch, caplog):
    monkeypatch.setattr(engine, "LOG_EVERY_S", -1)
    caplog.set_level(logging.INFO)
    assert list(show_progress("abc", 3, "spelling")) == ["a", "b", "c"]
    assert [message.split(",")[0] for message in caplog.messages] == ["spelling: 1 of 3", "spelling: 2 of 3"]


def test_a_long_task_is_watched_while_it_is_under_way(monkeypatch, caplog):
    monkeypatch.setattr(engine, "LOG_EVERY_S", 0.01)
    caplog.set_level(logging.INFO)
    letters = Watch(total=9, count=lambda: 3, describe=lambda: "of which c 1")
    for _ in show_progress(["abc"], 1, "spelling", letters):
        while not caplog.messages:
            time.sleep(0.01)
    assert caplog.messages[0].startswith("spelling: 3 of 9, ")
    assert caplog.messages[0].endswith("; of which c 1")


def test_progress_is_a_bar_on_a_terminal(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(engine, "DRAW_EVERY_S", 0.01)

    def drawn() -> str:
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())

    assert list(show_progress("abc", 3, "spelling")) == ["a", "b", "c"]
    assert "3/3" in drawn()
    for _ in show_progress(["abc"], 1, "spelling", Watch(9, lambda: 4, lambda: "slowly")):
        while "4/9" not in drawn():
            time.sleep(0.01)
    assert "spelling slowly" in drawn()
    assert re.search(r"4/9 \d+\.\d/s", drawn())


def test_an_isolated_call_runs_in_another_process():
    assert run_isolated(os.getpid) != os.getpid()


def end_at(killed: int, number: int) -> int:
    if number == killed:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_killed_worker_is_one_line():
    with pytest.raises(FieldguideError, match="ending: a worker process was killed"):
        list(map_shards(partial(end_at, 3), range(6), EngineParams(backend="loky", workers=2), "ending"))


def test_a_killed_helper_process_is_one_line():
    with pytest.raises(FieldguideError, match="end_at: a worker process was killed"):
        run_isolated(end_at, 3, 3)
