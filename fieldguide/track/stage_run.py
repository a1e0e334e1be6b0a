"""Mirrors a stage's parameters, curves, metrics and files to MLflow; the JSON in metrics/ stays the truth.

One parent run per pipeline run, one nested child per stage. The functions here do nothing outside `stage_run`, so the
library is used and tested without MLflow, and FIELDGUIDE_TRACKING=off leaves it out altogether.

MLflow takes seconds to import and set up, and brings pandas and SQLAlchemy along. So it lives in a process of its own
(recorder.py) that starts beside the stage and is told what happens in JSON lines: the stage does not wait for it until
the end, whatever the server does, and if the stage is killed outright the recorder still sees the pipe close and says
so.

A failure of MLflow costs its records, never a stage: one warning, and the stage goes on. FIELDGUIDE_TRACKING=strict
makes it an error instead.

Curves have two more listeners, each for whoever asks by an environment variable: TensorBoard (board.py), and a sweep
that watches its trials (epoch_log.py). They do not depend on MLflow.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fieldguide.credentials import mask_credentials
from fieldguide.errors import FieldguideError, ParamsError
from fieldguide.process_group import is_first_process
from fieldguide.track.board import Board
from fieldguide.track.epoch_log import append_event

log = logging.getLogger(__name__)

MODE_VARIABLE = "FIELDGUIDE_TRACKING"
MODES = ("on", "off", "strict")
LAST_WORDS_S = 60
"""How long a finished stage waits for its records to be written."""

_stage: str | None = None
"""The stage that runs, in the process that speaks for it."""
_board: Board | None = None
_active: "_Recorder | None" = None


@contextmanager
def stage_run(stage: str, params: Mapping[str, Any]) -> Iterator[None]:
    """Record what happens inside as one run of `stage` (`resize`, `train-teacher-global`).

    Raises ParamsError if FIELDGUIDE_TRACKING is none of on, off, strict; in strict mode FieldguideError if MLflow
    failed.
    """
    global _board, _stage
    mode = _mode()
    # Of processes that work together the first one speaks for all.
    if not is_first_process():
        yield
        return
    _stage, _board = stage, Board.of(stage)
    append_event(stage)
    try:
        if mode == "off":
            yield
        else:
            with _recorded(stage, params, strict=mode == "strict"):
                yield
    finally:
        if _board:
            _board.close()
        _stage = _board = None


@contextmanager
def _recorded(stage: str, params: Mapping[str, Any], *, strict: bool) -> Iterator[None]:
    """`stage_run` for MLflow."""
    global _active
    recorder = _active = _Recorder()
    try:
        recorder.tell("start", stage=stage, params=params)
        yield
    except BaseException as error:
        # Ctrl-C and SIGTERM (which stage.py turns into SystemExit) are the user's will, not a defect.
        recorder.end("FAILED" if isinstance(error, Exception) else "KILLED")
        raise
    finally:
        _active = None
    if (failure := recorder.end("FINISHED")) and strict:
        raise FieldguideError(failure)


def log_metrics(metrics: Mapping[str, Any]) -> None:
    """Record a stage's final metrics; nested mappings become dotted names, anything but a number is left out."""
    if _active:
        _active.tell("metrics", metrics=metrics)


def log_epoch(epoch: int, values: Mapping[str, float]) -> None:
    """Record one point of every curve in `values` (loss, top-1, learning rate, ...) in one request."""
    if _stage:
        append_event(_stage, epoch, values)
    if _board:
        _board.add(epoch, values)
    if _active:
        _active.tell("epoch", epoch=epoch, values=values)


def log_artifact(path: Path) -> None:
    """Keep a copy of a file or a folder with the run; it must stay as it is until the stage ends."""
    if _active:
        _active.tell("artifact", path=str(path.absolute()))


def _mode() -> str:
    mode = os.environ.get(MODE_VARIABLE) or "on"
    if mode not in MODES:
        raise ParamsError(f"environment variable {MODE_VARIABLE} is {mode!r}; expected one of {', '.join(MODES)}")
    return mode


def _plain(value: Any) -> Any:
    """A number of NumPy's or PyTorch's as Python's, anything else (a path) as text."""
    return value.item() if hasattr(value, "item") else str(value)


class _Recorder:
    """The recording process, seen from the stage."""

    def __init__(self) -> None:
        root = str(Path(__file__).parents[2])
        paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        self._noise = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 (closed in end)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fieldguide.track.recorder"],
            stdin=subprocess.PIPE,
            stdout=self._noise,
            stderr=self._noise,
            env={**os.environ, "PYTHONPATH": paths},
            text=True,
            # Ctrl-C is for the stage, which then tells the recorder how it ended.
            start_new_session=True,
        )

    def tell(self, event: str, **content: Any) -> None:
        """Send one event. A recorder that has died is dealt with at the end."""
        assert self._process.stdin
        line = json.dumps({"event": event, "at_ms": int(time.time() * 1000), **content}, default=_plain)
        with suppress(BrokenPipeError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def end(self, status: str) -> str | None:
        """Let the recorder finish. Returns, and logs, what went wrong with it."""
        assert self._process.stdin
        self.tell("end", status=status)
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            returncode = self._process.wait(LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            returncode = self._process.wait()
        with self._noise:
            self._noise.seek(0)
            lines = self._noise.read().split("\n")
        if returncode == 0:
            return None
        reason = next((line for line in reversed(lines) if line.strip()), f"no answer, exit code {returncode}")
        failure = f"MLflow failed, this stage is not in its records: {mask_credentials(reason.strip())}"
        log.warning("%s", failure)
        return failure
