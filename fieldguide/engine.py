"""Runs independent units of work, one per shard, in order, over processes or a Dask cluster.

Every stage's parallelism goes through here, so that moving from two cores to Slurm or Kubernetes is one
parameter. Results come back in the order of the tasks, whatever the number of workers.
"""

import logging
import multiprocessing
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Annotated, Any, ParamSpec, TypeVar

import joblib
from pydantic import Field, NonNegativeInt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fieldguide.errors import FieldguideError
from fieldguide.params import Section
from fieldguide.parent import end_with_parent

log = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")
Item = TypeVar("Item")
P = ParamSpec("P")

LOG_EVERY_S = 10.0
DRAW_EVERY_S = 0.5


class EngineParams(Section):
    """Where a stage's shards are worked on. Outputs do not depend on it."""

    backend: Annotated[str, Field(pattern=r"^(loky|dask|(tcp|tls)://\S+)$")]
    """`loky` (processes here), `dask` (a local cluster) or `tcp://host:port` (a Dask scheduler)."""
    workers: NonNegativeInt
    """Processes; 0 means one per core this process may use."""


def count_workers(workers: int) -> int:
    """The number of processes that `workers` asks for; 0 means every core this process may use."""
    return workers or joblib.cpu_count()


@dataclass(frozen=True)
class Watch:
    """Looks at work while tasks are under way, where a task is too long to be a step of progress."""

    total: int
    count: Callable[[], int]
    """How many of `total` are done."""
    describe: Callable[[], str]
    """What else there is to tell, asked after `count`."""


def map_shards(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    engine: EngineParams,
    label: str,
    watch: Watch | None = None,
) -> Iterator[Result]:
    """Yield `function(task)` for every task, in the order of `tasks`, with progress under `label`.

    `function` must be importable (a module-level function or a partial of one). An exception in a worker is
    raised here and ends the work.
    """
    if engine.backend == "loky":
        yield from _map_joblib(function, tasks, count_workers(engine.workers), label, watch)
    else:
        from distributed import Client

        local = {"n_workers": count_workers(engine.workers), "threads_per_worker": 1, "dashboard_address": None}
        client = Client(**local) if engine.backend == "dask" else Client(engine.backend)
        with client, joblib.parallel_config(backend="dask"):
            results = joblib.Parallel()(joblib.delayed(function)(task) for task in tasks)
        yield from show_progress(results, len(tasks), label, watch)


def _map_joblib(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int, label: str, watch: Watch | None
) -> Iterator[Result]:
    # One worker runs in this process: no start-up cost, and a debugger works.
    workers = max(1, min(workers, len(tasks)))
    own = {} if workers == 1 else {"initializer": end_with_parent, "initargs": (os.getpid(),)}
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator", batch_size=1, **own)
    failures: list[Exception] = []

    # joblib kills its workers when one of them raises: half-done shards would be lost, and its own clean-up
    # then complains on stderr. So errors come back as values, no more work is given out, and what is in hand ends.
    def hand_out() -> Iterator[Any]:
        for task in tasks:
            if failures:
                return
            yield joblib.delayed(_attempt)(function, task)

    with _whole_workers(label):
        for outcome in show_progress(parallel(hand_out()), len(tasks), label, watch):
            if isinstance(outcome, _Failure):
                failures.append(outcome.error)
            elif not failures:
                yield outcome
    if failures:
        raise failures[0]


@contextmanager
def _whole_workers(work: str) -> Iterator[None]:
    """A worker that was killed, by whom or what ever, is one line."""
    try:
        yield
    except BrokenProcessPool:
        raise FieldguideError(
            f"{work}: a worker process was killed, perhaps because memory ran out; what is finished stays; "
            "run it again, with fewer engine.workers if need be"
        ) from None


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


def show_progress(items: Iterable[Item], total: int, label: str, watch: Watch | None = None) -> Iterator[Item]:
    """Yield `items` unchanged; draw a bar on a terminal, write a log line now and then elsewhere.

    Progress is the number of items taken, or what `watch` says, which is then asked every so often.
    """
    taken = 0
    seen = watch or Watch(total, lambda: taken, str)
    is_drawn = sys.stderr.isatty()
    with _drawing(seen, label) if is_drawn else _logging(seen, label) as report:
        every = DRAW_EVERY_S if is_drawn else LOG_EVERY_S
        with _repeating(report, every) if watch else nullcontext():
            for item in items:
                yield item
                taken += 1
                if not watch:
                    report()


@contextmanager
def _drawing(watch: Watch, label: str) -> Iterator[Callable[[], None]]:
    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    started = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=watch.total, rate="")

        def report() -> None:
            done = watch.count()
            rate = f"{done / (time.monotonic() - started):.1f}/s"
            progress.update(task, completed=done, rate=rate, description=f"{label} {watch.describe()}".rstrip())

        yield report


@contextmanager
def _logging(watch: Watch, label: str) -> Iterator[Callable[[], None]]:
    started = logged = time.monotonic()

    def report() -> None:
        nonlocal logged
        done, now = watch.count(), time.monotonic()
        if 0 < done < watch.total and now - logged > LOG_EVERY_S:
            logged = now
            rate = done / (now - started)
            words = "; ".join(filter(None, (f"{(watch.total - done) / rate:.0f} s left", watch.describe())))
            log.info("%s: %d of %d, %.1f/s, %s", label, done, watch.total, rate, words)

    yield report


@contextmanager
def _repeating(act: Callable[[], None], every_s: float) -> Iterator[None]:
    """Call `act` every so many seconds, in a thread."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(every_s):
            act()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def run_isolated(function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
    """Call an importable function in a fresh interpreter and return its result.

    TensorFlow and PyTorch abort when loaded into one process (docs/decisions.md), so a stage that needs both
    runs one of them here.
    """
    spawn = multiprocessing.get_context("spawn")
    with (
        _whole_workers(function.__name__),
        ProcessPoolExecutor(
            max_workers=1, mp_context=spawn, initializer=end_with_parent, initargs=(os.getpid(),)
        ) as pool,
    ):
        return pool.submit(function, *args, **kwargs).result()
