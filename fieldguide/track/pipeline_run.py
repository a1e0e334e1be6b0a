"""Which run of the pipeline a stage is part of: told from DVC's environment variables, Git and params.yaml."""

import hashlib
import os
import subprocess
from dataclasses import dataclass

from fieldguide.params import PARAMS_FILE


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
        """The name shown in MLflow."""
        return self.name if self.name != "repro" else f"repro-{self.baseline[:7]}-{self.key[:4]}"


def current_pipeline_run() -> PipelineRun:
    """The pipeline run that this process is part of, from DVC's environment variables and the working directory."""
    return PipelineRun(
        name=os.environ.get("DVC_EXP_NAME") or "repro",
        baseline=os.environ.get("DVC_EXP_BASELINE_REV") or _head_revision(),
        params=PARAMS_FILE.read_text(encoding="utf-8"),
    )


def _head_revision() -> str:
    git = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return git.stdout.strip() if git.returncode == 0 else "uncommitted"
