"""The process that writes a stage's records to MLflow: reads the events of `stage_run` from stdin until it closes.

If it closes without an `end`, the stage was killed.

A thread takes the events in at once, so that the stage never waits for a server that hangs. What fails is left out and
the rest goes on: a server that is back hears the rest, and in any case how the stage ended.
"""

import json
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fieldguide.track.mlflow_run import StageRun

Events = SimpleQueue[dict[str, Any] | None]
"""None ends them."""

MOST_WAITING = 10_000
"""Events that may wait; points of curves beyond it are left out."""
MOST_FAILURES = 2
PAUSE_S = 60.0
"""After so many failures in a row curves and files are left out for this long."""


class Recording:
    """One stage's records, and what went wrong with them first."""

    def __init__(self) -> None:
        self.failure: str | None = None
        self._run: StageRun | None = None
        self._start: dict[str, Any] = {}
        self._failures = 0
        self._silent_until = 0.0

    def take(self, event: str, content: dict[str, Any]) -> None:
        """Carry out one event. Whatever fails is noted in `failure`."""
        if event == "start":
            self._start = content
        if event == "end" and self._run is None and self.failure:
            return
        if event in ("epoch", "artifact") and time.monotonic() < self._silent_until:
            return
        try:
            self._carry_out(event, content)
        except Exception as error:  # of whatever kind: MLflow's stores raise their own, SQLAlchemy's, botocore's, ...
            self.failure = self.failure or f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            self._failures += 1
            if self._failures >= MOST_FAILURES:
                self._silent_until = time.monotonic() + PAUSE_S
        else:
            self._failures = 0

    def _carry_out(self, event: str, content: dict[str, Any]) -> None:
        from fieldguide.track.mlflow_run import StageRun

        if self._run is None:
            # Again at a later event, if the server was not there at the first.
            self._run = StageRun.start(**self._start)
        if event == "metrics":
            self._run.log_metrics(**content)
        elif event == "epoch":
            self._run.log_epoch(**content)
        elif event == "artifact":
            self._run.log_artifact(Path(content["path"]))
        elif event == "end":
            self._run.end(**content)


def record(events: Events) -> str | None:
    """Carry out `events` until they end; returns the first failure."""
    recording, event = Recording(), ""
    for content in iter(events.get, None):
        event = content.pop("event")
        recording.take(event, content)
    if event and event != "end":
        recording.take("end", {"status": "KILLED", "at_ms": int(time.time() * 1000)})
    return recording.failure


def take_in(lines: Iterable[str], events: Events) -> None:
    """Put the events in `lines`, one JSON object each, where `record` finds them."""
    for line in lines:
        content = json.loads(line)
        if content["event"] != "epoch" or events.qsize() < MOST_WAITING:
            events.put(content)
    events.put(None)


def main() -> None:
    """Record from stdin. A failure becomes the last line on stderr, which `stage_run` shows."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    events: Events = SimpleQueue()
    Thread(target=take_in, args=(sys.stdin, events), daemon=True).start()
    if failure := record(events):
        print(failure, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
