"""Where runs are kept in MLflow: one parent per pipeline run, a nested child per stage (mlflow_run.py).

The parent holds all of params.yaml and the final metrics of every stage, so that MLflow's compare view can set whole
pipelines side by side. DVC_ROOT names the main repository even inside the temporary workspace of a queued experiment,
so runs outlive the workspace.

Importing this module imports MLflow; only the recorder and `mlflow-sync` do.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run

from fieldguide.params import PARAMS_FILE
from fieldguide.track.pipeline_run import PipelineRun

EXPERIMENT = "fieldguide"
MAX_PARAMS_PER_REQUEST = 100
MAX_NAME_LENGTH = 250

KEY_TAG = "fieldguide.pipeline_run"
STAGE_TAG = "fieldguide.stage"
PARENT_TAG = "mlflow.parentRunId"


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


def holds_stage(parent: Run, stage: str) -> bool:
    """Whether the parent run has metrics of this stage."""
    return any(name.startswith(f"{allowed_name(stage)}.") for name in parent.data.metrics)
