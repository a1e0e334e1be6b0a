"""DVC's queue of experiments, worked off."""

import math
import time

from tests.pipeline.project import Project


def drain_queue(project: Project, workers: int = 1, limit_s: float = 1200, patience_s: float = 30) -> None:
    """Run that many workers until nothing is queued; fails if an experiment does.

    A worker may stop early and leave tasks behind (DVC #10562), or miss the message to stop and live on: so this looks
    at tasks only, starts workers again where none works for `patience_s`, and sends all home in the end.
    """
    end, working = time.monotonic() + limit_s, -math.inf
    while "Queued" in (status := project.run("dvc", "queue", "status")) or "Running" in status:
        now = time.monotonic()
        if now > end:
            logs = [path.read_text(errors="replace")[-3000:] for path in project.root.glob(".dvc/tmp/exps/**/*.out")]
            raise AssertionError("\n".join([f"not done after {limit_s} s:", status, *logs]))
        if "Running" in status:
            working = now
        elif now - working > patience_s:
            project.run("dvc", "queue", "start", "-j", str(workers))
            working = now
        time.sleep(1)
    project.run("dvc", "queue", "stop")
    assert "Failed" not in status, status
