"""Which run of the pipeline a stage is part of: told from DVC's environment variables, Git and params.yaml."""

import hashlib
import os
import subprocess
from dataclasses import dataclass
from functools import cached_property

from fieldguide.params import PARAMS_FILE
from fieldguide.track.naming import describe_changes, preset_of

REPRO = "repro"


@dataclass(frozen=True)
class PipelineRun:
    """What tells one pipeline run from another."""

    name: str
    """The experiment's name, or `repro`."""
    baseline: str
    """The Git revision it started from."""
    params: str
    """params.yaml as text."""

    @property
    def key(self) -> str:
        """Equal for all stages of one pipeline run, different for any two; hexadecimal, so no query trips over it."""
        return hashlib.sha256(f"{self.name}\0{self.baseline}\0{self.params}".encode()).hexdigest()[:32]

    @property
    def title(self) -> str:
        """The name shown in MLflow: the experiment's, or `sample 1995204: distill_student.temperature=5`."""
        if self.name != REPRO:
            return self.name
        return ": ".join(filter(None, (f"{self.preset or REPRO} {self.baseline[:7]}", self.changes)))

    @cached_property
    def preset(self) -> str | None:
        """The preset that the parameters were written from, if it is one of ours."""
        return preset_of(self.params)

    @cached_property
    def changes(self) -> str:
        """What the parameters say otherwise than those of the baseline."""
        return describe_changes(self.params, show(self.baseline, str(PARAMS_FILE)))


def current_pipeline_run() -> PipelineRun:
    """The pipeline run that this process is part of, from DVC's environment variables and the working directory."""
    return PipelineRun(
        name=os.environ.get("DVC_EXP_NAME") or REPRO,
        baseline=os.environ.get("DVC_EXP_BASELINE_REV") or git("rev-parse", "HEAD") or "uncommitted",
        params=PARAMS_FILE.read_text(encoding="utf-8"),
    )


def show(revision: str, path: str) -> str | None:
    """A file's text at a revision; None if there is none."""
    return git("show", f"{revision}:./{path}", strip=False)


def git(*arguments: str, strip: bool = True) -> str | None:
    """What `git` prints; None if it fails or is not there."""
    try:
        finished = subprocess.run(["git", *arguments], capture_output=True, text=True, encoding="utf-8", check=False)
    except OSError:
        return None
    if finished.returncode != 0:
        return None
    return finished.stdout.strip() if strip else finished.stdout
