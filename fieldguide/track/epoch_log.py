"""What happens in a stage while it runs, for whoever started it: a JSON line a stage and a line an epoch.

FIELDGUIDE_EPOCHS names the file. It is no output and no parameter: nobody's results depend on it, and DVC hands its
environment on to the stages, wherever their workspace lies.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FILE_VARIABLE = "FIELDGUIDE_EPOCHS"


@dataclass(frozen=True)
class Event:
    """A stage that begins, or one of its epochs."""

    stage: str
    workspace: str
    """The folder it runs in."""
    epoch: int | None = None
    values: Mapping[str, float] | None = None
    """The points of its curves at that epoch."""


def append_event(stage: str, epoch: int | None = None, values: Mapping[str, float] | None = None) -> None:
    """Add a line, if somebody asked for it."""
    if file := os.environ.get(FILE_VARIABLE):
        plain = None if values is None else {name: float(value) for name, value in values.items()}
        line = json.dumps({"stage": stage, "workspace": str(Path.cwd()), "epoch": epoch, "values": plain})
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")


def read_events(file: Path) -> Iterator[Event]:
    """The events so far; a line that is being written is none yet."""
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield Event(**json.loads(line))
