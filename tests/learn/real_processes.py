"""Trainings in processes of their own, which tests kill or let train together.

They are forked from a server that has imported PyTorch once, so that ten of them cost no ten imports.
"""

import multiprocessing
import os
import signal
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from fieldguide.stage import _unwind
from tests.learn.looping import train_into

STEPS_FILE = "steps"
"""Beside the output: a byte for each step that was begun."""


def start_training(
    out: Path, tfrecord: Path, variables: dict[str, str] | None = None, **changes: Any
) -> ForkServerProcess:
    """Train into `out`, with these environment variables, as a stage would: exit codes 0, 1, 130 or 143."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__])
    # One thread: processes that share few cores would wait for each other.
    environment = {"DVC_ROOT": str(out.parent), "LOKY_MAX_CPU_COUNT": "1", **(variables or {})}
    process = server.Process(target=_train, args=(out, tfrecord, environment, changes))
    process.start()
    return process


def finish(*processes: ForkServerProcess) -> list[int | None]:
    """Their exit codes, once they have ended."""
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def has_started(out: Path) -> bool:
    """Whether any training into `out` has: not whether it has begun its first step."""
    return _steps_file(out).exists()


def steps_begun(out: Path) -> int:
    """By all trainings into `out` together."""
    return _steps_file(out).stat().st_size if has_started(out) else 0


def _steps_file(out: Path) -> Path:
    return out.parent / f"{out.name}.{STEPS_FILE}"


def _train(out: Path, tfrecord: Path, environment: dict[str, str], changes: dict[str, Any]) -> None:
    os.environ.update(environment)
    # A group of its own, to all of which a test may send a signal, as schedulers and terminals do.
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, _unwind)
    # The server ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with _steps_file(out).open("ab", buffering=0) as stream:
        try:
            train_into(out, tfrecord, on_step=lambda step: stream.write(b"."), **changes)
        except KeyboardInterrupt:
            sys.exit(130)
