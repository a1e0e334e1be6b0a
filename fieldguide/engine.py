"""Runs independent units of work, one per shard, in order, over processes or a Dask cluster.

Every stage's parallelism goes through here, so that moving from two cores to Slurm or Kubernetes is one
parameter. Results come back in the order of the tasks, whatever the number of workers.
"""

import multiprocessing
import os
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError
from pydantic import Field, NonNegativeInt

from fieldguide.errors import FieldguideError, ParamsError
from fieldguide.params import Section
from fieldguide.parent import end_with_parent
from fieldguide.progress import Watch, show_progress

Task = TypeVar("Task")
Result = TypeVar("Result")
P = ParamSpec("P")

KILLED = "a process ended in the middle of its work: killed, or out of memory; expected enough for each of the workers"
AHEAD = 2
"""Tasks given out for each worker of a cluster, so that none waits for the next one."""


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
class _Failure:
    error: Exception


def map_shards(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    engine: EngineParams,
    label: str,
    watch: Watch | None = None,
) -> Iterator[Result]:
    """Yield `function(task)` for every task, in the order of `tasks`, with progress under `label`.

    `function` must be importable (a module-level function or a partial of one). An exception in a worker is raised here
    and ends the work. Raises ParamsError if no scheduler answers, FieldguideError if a worker was killed.
    """
    if engine.backend == "loky":
        outcomes = _attempt_here(function, tasks, count_workers(engine.workers))
    else:
        outcomes = _attempt_on_cluster(function, tasks, engine)
    failure = None
    # Closed where results are no longer taken, so that a cluster does not go on for nobody.
    with closing(outcomes), closing(show_progress(outcomes, len(tasks), label, watch)) as shown:
        for outcome in shown:
            if isinstance(outcome, _Failure):
                failure = failure or outcome.error
            elif failure is None:
                yield outcome
    if failure is not None:
        raise failure


def _attempt_here(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Generator[Result | _Failure, None, None]:
    # One worker runs in this process: no start-up cost, and a debugger works.
    workers = max(1, min(workers, len(tasks)))
    own = {} if workers == 1 else {"initializer": _begin_worker, "initargs": (os.getpid(), str(Path.cwd()))}
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator", batch_size=1, **own)
    has_failed = False

    # joblib kills its workers when one of them raises: half-done shards would be lost, and its own clean-up
    # then complains on stderr. So errors come back as values, no more work is given out, and what is in hand ends.
    def hand_out() -> Iterator[Any]:
        for task in tasks:
            if has_failed:
                return
            yield joblib.delayed(_attempt)(function, task)

    try:
        for outcome in parallel(hand_out()):
            has_failed = has_failed or isinstance(outcome, _Failure)
            yield outcome
    except TerminatedWorkerError:
        raise FieldguideError(KILLED) from None


def _begin_worker(parent: int, folder: str) -> None:
    # joblib keeps processes for the next call, which may come from another folder: paths of tasks are relative to it.
    os.chdir(folder)
    end_with_parent(parent)


def _attempt_on_cluster(
    function: Callable[[Task], Result], tasks: Sequence[Task], engine: EngineParams
) -> Generator[Result | _Failure, None, None]:
    try:
        from distributed import Client
    except ImportError:
        raise ParamsError(
            f"engine backend {engine.backend!r} needs a package that is not installed: uv pip install distributed"
        ) from None
    local = {"n_workers": count_workers(engine.workers), "threads_per_worker": 1, "dashboard_address": None}
    try:
        client = Client(**local) if engine.backend == "dask" else Client(engine.backend)
    except (OSError, ValueError) as error:
        raise ParamsError(f"engine backend {engine.backend!r}: no scheduler answers there ({error})") from None
    waiting, given = iter(tasks), deque[Any]()
    has_failed = False
    with client:
        while True:
            room = AHEAD * max(1, sum(client.nthreads().values())) - len(given)
            for task in islice(waiting, 0 if has_failed else room):
                given.append(client.submit(_attempt, function, task, pure=False))
            if not given:
                return
            try:
                outcome = given.popleft().result()
            except Exception as error:  # what a task raises comes as a value, so this is the cluster's own
                raise FieldguideError(f"the Dask cluster gave up: {' '.join(str(error).split())}") from None
            has_failed = has_failed or isinstance(outcome, _Failure)
            yield outcome


def _attempt(function: Callable[[Task], Result], task: Task) -> Result | _Failure:
    try:
        return function(task)
    except Exception as error:
        # A traceback does not survive the way between processes; a note does.
        error.add_note(traceback.format_exc())
        return _Failure(error)


def run_isolated(function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
    """Call an importable function in a fresh interpreter and return its result.

    TensorFlow and PyTorch abort when loaded into one process (docs/decisions.md), so a stage that needs both
    runs one of them here. Raises FieldguideError if that process is killed.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=end_with_parent, initargs=(os.getpid(),)) as pool:
        try:
            return pool.submit(function, *args, **kwargs).result()
        except BrokenProcessPool:
            raise FieldguideError(KILLED) from None
