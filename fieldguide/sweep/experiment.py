"""One trial as a DVC experiment: started in a workspace of its own, watched, stopped, and its score read from Git."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.errors import FieldguideError
from fieldguide.sweep.description import Value, overrides
from fieldguide.track.epoch_log import FILE_VARIABLE, Event, read_events
from fieldguide.track.naming import SWEEP_VARIABLE
from fieldguide.track.pipeline_run import git, show

LAST_WORDS_S = 60.0
"""How long a stage that is stopped has to close its records."""


@dataclass
class Experiment:
    """A DVC experiment that runs now."""

    name: str
    folder: Path
    """Holds its log and what its stages say of their epochs, as `NAME.log` and `NAME.jsonl`."""
    process: "subprocess.Popen[bytes]" = field(repr=False)

    @classmethod
    def start(
        cls, name: str, targets: Sequence[str], values: Mapping[str, Value], folder: Path, trial: str
    ) -> "Experiment":
        """Start `dvc exp run --temp` with `values` in params.yaml; `trial` is what MLflow is told of it."""
        folder.mkdir(parents=True, exist_ok=True)
        events = folder / f"{name}.jsonl"
        events.unlink(missing_ok=True)
        setting = [part for each in overrides(values) for part in ("-S", each)]
        dvc = [sys.executable, "-m", "fieldguide.sweep.dvc_process"]
        # The environment this interpreter belongs to comes first: stages call `python`.
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
        with (folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*dvc, "exp", "run", "--temp", "--name", name, *setting, *targets],
                env={**os.environ, "PATH": path, FILE_VARIABLE: str(events.absolute()), SWEEP_VARIABLE: trial},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A group of its own, so that DVC and its stage can be stopped together.
                start_new_session=True,
            )
        return cls(name, folder, process)

    @property
    def log(self) -> Path:
        """What DVC and the stages print."""
        return self.folder / f"{self.name}.log"

    @property
    def is_over(self) -> bool:
        """Whether DVC has ended."""
        return self.process.poll() is not None

    def events(self) -> list[Event]:
        """What its stages said so far."""
        return list(read_events(self.folder / f"{self.name}.jsonl"))

    def stop(self) -> None:
        """End DVC and its stage, and remove the workspace, which DVC leaves behind then."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + LAST_WORDS_S
        while self._lives() and time.monotonic() < deadline:
            time.sleep(0.1)
        self._signal(signal.SIGKILL)
        self.process.wait()
        remove_workspaces(self.events())

    def failure(self) -> str:
        """Why it failed, in DVC's or the stage's own words."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        # A stage says `distill_student: ...`, then DVC that the command failed.
        said = [
            line for line in lines if line.strip() and not line.startswith(("ERROR: failed to reproduce", "Running"))
        ]
        return f"{said[-1].removeprefix('ERROR: ').strip() if said else 'no word'} ({self.log})"

    def _lives(self) -> bool:
        self.process.poll()
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


def remove_workspaces(events: Sequence[Event]) -> None:
    """Delete the temporary workspaces in which stages ran; never another folder."""
    temporary = (Path(".dvc") / "tmp" / "exps").resolve()
    for workspace in {Path(event.workspace) for event in events}:
        if workspace.is_relative_to(temporary) and workspace != temporary:
            shutil.rmtree(workspace, ignore_errors=True)


def find_experiment(name: str) -> str | None:
    """The revision of the finished DVC experiment called `name`, None if there is none."""
    refs = git("for-each-ref", "--format=%(refname)", "refs/exps") or ""
    return next((ref for ref in refs.splitlines() if ref.rpartition("/")[2] == name), None)


def read_score(revision: str, metric: str) -> float:
    """The number that `metric` (`metrics/STAGE.json:NAME`) names at a revision.

    Raises FieldguideError if there is none.
    """
    file, _, key = metric.partition(":")
    text = show(revision, file)
    if text is None:
        raise FieldguideError(f"{file} is not in Git after the experiment; expected a metrics file with `cache: false`")
    content: Any = json.loads(text)
    for part in key.split("."):
        content = content.get(part) if isinstance(content, dict) else None
    if not isinstance(content, int | float):
        raise FieldguideError(f"{file} holds {content!r} at {key}; expected a number")
    return float(content)
