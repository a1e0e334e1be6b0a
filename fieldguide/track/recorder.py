"""The process that writes a stage's records to MLflow: reads the events of `stage_run` from stdin until it closes.

If it closes without an `end`, the stage was killed.
"""

import json
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path


def record(lines: Iterable[str]) -> None:
    """Carry out the events in `lines`, one JSON object each."""
    from fieldguide.track.mlflow_run import StageRun

    run: StageRun | None = None
    for line in lines:
        content = json.loads(line)
        event = content.pop("event")
        if event == "start":
            run = StageRun.start(**content)
            continue
        assert run, f"{event} before start"
        if event == "metrics":
            run.log_metrics(**content)
        elif event == "epoch":
            run.log_epoch(**content)
        elif event == "artifact":
            run.log_artifact(Path(content["path"]))
        elif event == "end":
            run.end(**content)
            return
    if run:
        run.end("KILLED", int(time.time() * 1000))


def main() -> None:
    """Record from stdin. A failure becomes the last line on stderr, which `stage_run` shows."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        record(sys.stdin)
    except Exception as error:  # of whatever kind: MLflow's stores raise their own, SQLAlchemy's, botocore's, ...
        print(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
