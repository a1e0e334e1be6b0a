"""Work on several accelerators of one machine, a process for each; without accelerators, on parts of its cores.

For work whose parts need nothing of each other, so no process group is made; what trains together has its own way.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, TypeVar

import torch

from fieldguide.engine import KILLED, count_workers
from fieldguide.errors import FieldguideError, ParamsError
from fieldguide.parent import end_with_parent

Result = TypeVar("Result")

VISIBLE = "CUDA_VISIBLE_DEVICES"
CORES = "LOKY_MAX_CPU_COUNT"
"""What `count_workers` holds to."""


def run_shares(
    function: Callable[..., Result],
    devices: int | Literal["auto"],
    work: Any,
    arguments: tuple[Any, ...],
) -> list[Result]:
    """The results of `function(work, rank, num_devices, *arguments)` for every device, by rank.

    Each runs in a process that sees its own device alone; a single one in this process. `function` must be importable.
    Raises ParamsError for more devices than there are, FieldguideError if a process was killed.
    """
    num = count_devices(devices)
    if num == 1:
        return [function(work, 0, 1, *arguments)]
    spawn = multiprocessing.get_context("spawn")
    with ExitStack() as pools:
        futures = []
        for rank in range(num):
            pool = ProcessPoolExecutor(1, spawn, initializer=end_with_parent, initargs=(os.getpid(),))
            pools.enter_context(pool)
            # A process is started by its first task, and what it sees is settled by then.
            with _share(rank, num):
                futures.append(pool.submit(function, work, rank, num, *arguments))
        try:
            return [future.result() for future in futures]
        except BrokenProcessPool:
            raise FieldguideError(KILLED) from None


def count_devices(devices: int | Literal["auto"]) -> int:
    """How many are meant. Raises ParamsError for more than there are."""
    accelerators = torch.cuda.device_count()
    if devices == "auto":
        return max(1, accelerators)
    there_are = accelerators or count_workers(0)
    if devices > there_are:
        kind = "accelerators" if accelerators else "cores and no accelerator"
        raise ParamsError(f"devices is {devices}, but this machine has {there_are} {kind}; expected at most that")
    return devices


@contextmanager
def _share(rank: int, num: int) -> Iterator[None]:
    """Processes that are started inside see one device of all, and a part of the cores."""
    before = {name: os.environ.get(name) for name in (VISIBLE, CORES)}
    visible = [name for name in (before[VISIBLE] or "").split(",") if name]
    os.environ[VISIBLE] = visible[rank] if visible else str(rank)
    os.environ[CORES] = str(max(1, count_workers(0) // num))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
