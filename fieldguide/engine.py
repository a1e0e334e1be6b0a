"""Runs independent units of work, one per shard, in order, over processes or a Dask cluster.

Every stage's parallelism goes through here, so that moving from two cores to Slurm or Kubernetes is one
parameter. Results come back in the order of the tasks, whatever the number of workers.
"""

import logging
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import joblib
from pydantic import NonNegativeInt
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fieldguide.errors import ParamsError
from fieldguide.params import Section

log = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")
Item = TypeVar("Item")
P = ParamSpec("P")

LOG_EVERY_S = 10.0


class EngineParams(Section):
    """Where a stage's shards are worked on. Outputs do not depend on it."""

    backend: str
    """`loky` (processes here), `dask` (a local cluster) or `tcp://host:port` (a Dask scheduler)."""
    workers: NonNegativeInt
    """Processes; 0 means one per core this process may use."""


def count_workers(workers: int) -> int:
    """The number of processes that `workers` asks for; 0 means every core this process may use."""
    return workers or len(os.sched_getaffinity(0))


def map_shards(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    engine: EngineParams,
    label: str,
    describe: Callable[[], str] = str,
) -> Iterator[Result]:
    """Yield `function(task)` for every task, in the order of `tasks`, with progress under `label`.

    `function` must be importable (a module-level function or a partial of one). An exception in a worker is
    raised here and ends the work. `describe` says what else there is to tell, once each result was taken.
    """
    if engine.backend == "loky":
        yield from _map_joblib(function, tasks, count_workers(engine.workers), label, describe)
    elif engine.backend == "dask" or engine.backend.startswith(("tcp://", "tls://")):
        from distributed import Client

        local = {"n_workers": count_workers(engine.workers), "threads_per_worker": 1, "dashboard_address": None}
        client = Client(**local) if engine.backend == "dask" else Client(engine.backend)
        with client, joblib.parallel_config(backend="dask"):
            results = joblib.Parallel()(joblib.delayed(function)(task) for task in tasks)
        yield from show_progress(results, len(tasks), label, describe)
    else:
        raise ParamsError(f"engine backend {engine.backend!r} is unknown; expected loky, dask or tcp://host:port")


def _map_joblib(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int, label: str, describe: Callable[[], str]
) -> Iterator[Result]:
    # One worker runs in this process: no start-up cost, and a debugger works.
    workers = max(1, min(workers, len(tasks)))
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator", batch_size=1)
    failures: list[Exception] = []

    # joblib kills its workers when one of them raises: half-done shards would be lost, and its own clean-up
    # then complains on stderr. So errors come back as values, no more work is given out, and what is in hand ends.
    def hand_out() -> Iterator[Any]:
        for task in tasks:
            if failures:
                return
            yield joblib.delayed(_attempt)(function, task)

    for outcome in show_progress(parallel(hand_out()), len(tasks), label, describe):
        if isinstance(outcome, _Failure):
            failures.append(outcome.error)
        elif not failures:
            yield outcome
    if failures:
        raise failures[0]


@dataclass(frozen=True)
class _Failure:
    error: Exception


def _attempt(function: Callable[[Task], Result], task: Task) -> Result | _Failure:
    try:
        return function(task)
    except Exception as error:
        # A traceback does not survive the way between processes; a note does.
        error.add_note(traceback.format_exc())
        return _Failure(error)


def show_progress(items: Iterable[Item], total: int, label: str, describe: Callable[[], str] = str) -> Iterator[Item]:
    """Yield `items` unchanged; draw a bar on a terminal, write a log line now and then elsewhere.

    `describe` adds a few words to both.
    """
    if not sys.stderr.isatty():
        started = logged = time.monotonic()
        for done, item in enumerate(items, start=1):
            yield item
            if time.monotonic() - logged > LOG_EVERY_S and done < total:
                logged = time.monotonic()
                rate = done / (logged - started)
                words = "; ".join(filter(None, (f"{(total - done) / rate:.0f} s left", describe())))
                log.info("%s: %d of %d, %.1f/s, %s", label, done, total, rate, words)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(label, total=total)
        for item in items:
            yield item
            progress.update(task, advance=1, description=f"{label} {describe()}".rstrip())


def run_isolated(function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
    """Call an importable function in a fresh interpreter and return its result.

    TensorFlow and PyTorch abort when loaded into one process (docs/decisions.md), so a stage that needs both
    runs one of them here.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()
