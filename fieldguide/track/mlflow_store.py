"""Where runs are kept in MLflow: one parent per pipeline run, a nested child per stage.

The parent holds all of params.yaml and the final metrics of every stage, so that MLflow's compare view can set whole
pipelines side by side; the children hold curves, system metrics, files and the digests of what they read. DVC_ROOT
names the main repository even inside the temporary workspace of a queued experiment, so runs outlive the workspace.

Importing this module imports MLflow; only `tracking` and `mlflow_sync` do.
"""

import fcntl
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Read by MLflow while it is imported: no chatter, no usage reports, and a dead server costs seconds, not minutes.
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

from fieldguide.params import PARAMS_FILE, read_params
from fieldguide.track.lockfile import stage_inputs, stages_before

EXPERIMENT = "fieldguide"
SAMPLE_EVERY_S = 5.0
MAX_PARAMS_PER_REQUEST = 100
MAX_NAME_LENGTH = 250
MAX_DIGEST_LENGTH = 36

KEY_TAG = "fieldguide.pipeline_run"
STAGE_TAG = "fieldguide.stage"
PARENT_TAG = "mlflow.parentRunId"


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
        """Equal for all stages of one pipeline run, different for any two pipeline runs."""
        return f"{self.name}:{self.baseline[:12]}:{self._params_digest}"

    @property
    def title(self) -> str:
        """The name shown in MLflow."""
        return self.name if self.name != "repro" else f"repro-{self.baseline[:7]}-{self._params_digest[:4]}"

    @property
    def _params_digest(self) -> str:
        return hashlib.sha256(self.params.encode()).hexdigest()[:12]


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


@contextmanager
def locked_store() -> Iterator[tuple[MlflowClient, str]]:
    """Yield a client and the id of the experiment `fieldguide`, while no other process on this machine does the same.

    Two processes that create or migrate one database break it, and two stages of one pipeline run would each create
    its parent.
    """
    root = Path(os.environ.get("DVC_ROOT") or Path.cwd())
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root / 'mlflow.db'}"
    lock = root / ".dvc" / "tmp" / "mlflow.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        client = MlflowClient(uri)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            # A relative location would be taken from the workspace that happens to be first, and go with it.
            artifacts = (root / "mlartifacts").as_uri() if uri.startswith("sqlite:") else None
            experiment_id = client.create_experiment(EXPERIMENT, artifact_location=artifacts)
        else:
            experiment_id = experiment.experiment_id
        yield client, experiment_id


def find_parent(client: MlflowClient, experiment_id: str, key: str) -> Run | None:
    """The parent run with this key, if there is one."""
    found = client.search_runs([experiment_id], f"tags.`{KEY_TAG}` = '{key}'", max_results=1)
    return found[0] if found else None


def create_parent(
    client: MlflowClient, experiment_id: str, run: PipelineRun, params: Mapping[str, Any], tags: Mapping[str, str]
) -> str:
    """Create a parent run that holds all of `params`; return its id."""
    tags = {KEY_TAG: run.key, "mlflow.source.git.commit": run.baseline, "mlflow.source.name": "dvc.yaml", **tags}
    run_id: str = client.create_run(experiment_id, run_name=run.title, tags=tags).info.run_id
    log_params(client, run_id, params)
    client.log_text(run_id, run.params, PARAMS_FILE.name)
    return run_id


def flatten(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of nested mappings with its dotted name; lists are leaves."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def allowed_name(name: str) -> str:
    """`name` with what MLflow refuses (`@`, brackets, ...) replaced by `_`."""
    return re.sub(r"[^\w.\- ]", "_", name)[:MAX_NAME_LENGTH]


def to_metrics(content: Mapping[str, Any], at_ms: int, prefix: str = "", step: int = 0) -> list[Metric]:
    """The numbers among the leaves of `content`, in MLflow's form; `at_ms` is in milliseconds since 1970."""
    return [
        Metric(allowed_name(name), float(value), at_ms, step)
        for name, value in flatten(content, prefix)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def log_params(client: MlflowClient, run_id: str, params: Mapping[str, Any]) -> None:
    """Record all leaves of `params`: text as it is, anything else as JSON."""
    leaves = [
        Param(
            allowed_name(name), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        )
        for name, value in flatten(params)
    ]
    for start in range(0, len(leaves), MAX_PARAMS_PER_REQUEST):
        client.log_batch(run_id, params=leaves[start : start + MAX_PARAMS_PER_REQUEST])


def log_stage_metrics(client: MlflowClient, parent_id: str, stage: str, metrics: Mapping[str, Any], at_ms: int) -> None:
    """Record a stage's final metrics with its parent: as `stage.name` and as the JSON file they are."""
    client.log_batch(parent_id, metrics=to_metrics(metrics, at_ms, prefix=f"{stage}."))
    client.log_text(parent_id, json.dumps(metrics, indent=2, ensure_ascii=False), f"metrics/{stage}.json")


@dataclass
class StageRun:
    """The child run of the stage that is running now."""

    stage: str
    client: MlflowClient
    parent_id: str
    run_id: str
    monitor: SystemMetricsMonitor = field(repr=False)

    @classmethod
    def start(cls, stage: str, params: Mapping[str, Any], at_ms: int) -> "StageRun":
        """Find or create the parent, create the child, begin to sample the machine."""
        pipeline_run = current_pipeline_run()
        with locked_store() as (client, experiment_id):
            parent = find_parent(client, experiment_id, pipeline_run.key)
            if parent is None:
                parent_id = create_parent(client, experiment_id, pipeline_run, read_params(), {})
            else:
                parent_id = parent.info.run_id
                client.update_run(parent_id, status="RUNNING")
            _end_killed(client, experiment_id, parent_id, stage)
        tags = {PARENT_TAG: parent_id, STAGE_TAG: stage, "mlflow.source.name": stage}
        run_id = client.create_run(experiment_id, at_ms, run_name=stage, tags=tags).info.run_id
        log_params(client, run_id, params)
        if inputs := _dataset_inputs():
            client.log_inputs(run_id, inputs)
        monitor = SystemMetricsMonitor(run_id, sampling_interval=SAMPLE_EVERY_S, tracking_uri=client.tracking_uri)
        monitor.start()
        return cls(stage, client, parent_id, run_id, monitor)

    def log_metrics(self, metrics: Mapping[str, Any], at_ms: int) -> None:
        """Final metrics, to the child and to the parent; the parent also gets those of the stages before this one.

        DVC skips a stage that has not changed, but its metrics belong to this pipeline run all the same.
        """
        self.client.log_batch(self.run_id, metrics=to_metrics(metrics, at_ms))
        log_stage_metrics(self.client, self.parent_id, self.stage, metrics, at_ms)
        parent = self.client.get_run(self.parent_id)
        for stage in stages_before(os.environ.get("DVC_STAGE", "")):
            name = stage.replace("@", "-")
            file = Path("metrics") / f"{name}.json"
            if file.is_file() and not holds_stage(parent, name):
                earlier = json.loads(file.read_text(encoding="utf-8"))
                log_stage_metrics(self.client, self.parent_id, name, earlier, at_ms)

    def log_epoch(self, epoch: int, values: Mapping[str, float], at_ms: int) -> None:
        """One point of every curve in `values`."""
        self.client.log_batch(self.run_id, metrics=to_metrics(values, at_ms, step=epoch))

    def log_artifact(self, path: Path) -> None:
        """A copy of a file or folder."""
        if path.is_dir():
            self.client.log_artifacts(self.run_id, str(path), path.name)
        else:
            self.client.log_artifact(self.run_id, str(path))

    def end(self, status: str, at_ms: int) -> None:
        """Close the child with FINISHED, FAILED or KILLED, and the parent with the same until its next stage."""
        self.monitor.finish()
        self.client.set_terminated(self.run_id, status, at_ms)
        self.client.set_terminated(self.parent_id, status, at_ms)


def _end_killed(client: MlflowClient, experiment_id: str, parent_id: str, stage: str) -> None:
    """A stage that was killed outright never said so; its successor does."""
    query = f"tags.`{PARENT_TAG}` = '{parent_id}' and tags.`{STAGE_TAG}` = '{stage}' and attributes.status = 'RUNNING'"
    for run in client.search_runs([experiment_id], query):
        client.set_terminated(run.info.run_id, "KILLED")


def holds_stage(parent: Run, stage: str) -> bool:
    """Whether the parent run has metrics of this stage."""
    return any(name.startswith(f"{allowed_name(stage)}.") for name in parent.data.metrics)


def _dataset_inputs() -> list[DatasetInput]:
    tags = [InputTag("mlflow.data.context", "dvc")]
    return [
        DatasetInput(
            Dataset(
                name=tracked.path,
                digest=tracked.digest[:MAX_DIGEST_LENGTH],
                source_type="dvc",
                source=json.dumps({"path": tracked.path, "stage": tracked.stage}),
            ),
            tags,
        )
        for tracked in stage_inputs(os.environ.get("DVC_STAGE", ""))
    ]
