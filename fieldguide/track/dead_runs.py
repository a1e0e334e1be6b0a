"""Closes runs whose recorder is gone: neither a killed machine nor one that lost its server said how they ended."""

import os
import socket
from pathlib import Path

from mlflow import MlflowClient

from fieldguide.track.mlflow_store import PARENT_TAG

HOST_TAG = "fieldguide.host"
PROCESS_TAG = "fieldguide.recorder"
RECORDER = "fieldguide.track.recorder"


def origin_tags() -> dict[str, str]:
    """What tells which process records a run."""
    return {HOST_TAG: socket.gethostname(), PROCESS_TAG: str(os.getpid())}


def end_dead_runs(client: MlflowClient, experiment_id: str) -> None:
    """Set runs of this machine that nobody records any more to KILLED, and their parents if nothing else runs there."""
    here = f"tags.`{HOST_TAG}` = '{socket.gethostname()}'"
    running = client.search_runs([experiment_id], f"{here} and attributes.status = 'RUNNING'")
    dead = [run for run in running if not _is_recorded(run.data.tags.get(PROCESS_TAG, ""))]
    parents = {run.data.tags.get(PARENT_TAG, run.info.run_id) for run in dead}
    for run in dead:
        if run.info.run_id not in parents:
            client.set_terminated(run.info.run_id, "KILLED")
    for parent in parents:
        children = f"tags.`{PARENT_TAG}` = '{parent}' and attributes.status = 'RUNNING'"
        if not client.search_runs([experiment_id], children):
            client.set_terminated(parent, "KILLED")


def _is_recorded(process: str) -> bool:
    """Whether a process of this machine is a recorder; its number may belong to another one by now."""
    if not process.isdecimal():
        return False
    processes = Path("/proc")
    if processes.is_dir():
        try:
            return RECORDER.encode() in (processes / process / "cmdline").read_bytes()
        except OSError:
            return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
