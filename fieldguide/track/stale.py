"""Which stages have not run since their parameters, inputs or code changed: what they left is of another run."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fieldguide.errors import FieldguideError
from fieldguide.track.lockfile import stages_before

ABSENT = ("deleted", "not in cache")
"""What DVC says of files that are not on this machine. They contradict nothing: a fresh clone holds metrics alone."""
MOST_CHANGES = 3


def stale_stages(stages: Iterable[str], root: Path = Path()) -> dict[str, str]:
    """Those of `stages` (DVC's names) that are not what the pipeline would make now, and why.

    A stage is stale, too, if one before it is. Raises FieldguideError if DVC cannot tell.
    """
    changed = {stage: list(_changes(entries)) for stage, entries in _dvc_status(root).items()}
    stale: dict[str, str] = {}
    for stage in stages:
        # The first stage of the way is the cause, those behind it the consequence.
        way = [*reversed(stages_before(stage, root)), stage]
        cause = next((each for each in way if changed.get(each)), None)
        if cause:
            stale[stage] = f"{cause} has not run since {_list(changed[cause])} changed"
    return stale


def _dvc_status(root: Path) -> dict[str, list[Any]]:
    command = [sys.executable, "-m", "dvc", "status", "--json"]
    dvc = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=False)
    try:
        return dict(json.loads(dvc.stdout))
    except ValueError:
        lines = [line for line in dvc.stderr.splitlines() if line.startswith("ERROR")] or ["no answer"]
        raise FieldguideError(f"dvc status: {lines[0].removeprefix('ERROR: ')}") from None


def _changes(entries: Iterable[Any]) -> Iterator[str]:
    """What DVC reports of a stage: `changed command`, or paths and parameters with their states."""
    for entry in entries:
        if isinstance(entry, Mapping):
            for paths in entry.values():
                yield from _changed_paths(paths)
        elif entry == "changed command":
            yield "its command"


def _changed_paths(paths: Mapping[str, Any]) -> Iterator[str]:
    for path, state in paths.items():
        if isinstance(state, Mapping):
            yield from _changed_paths(state)
        elif state not in ABSENT:
            yield path


def _list(changes: list[str]) -> str:
    rest = len(changes) - MOST_CHANGES
    return ", ".join(changes[:MOST_CHANGES] + ([f"{rest} more"] if rest > 0 else []))
