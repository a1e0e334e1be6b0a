"""Where runs are kept in MLflow: one parent per pipeline run, a nested child per stage (mlflow_run.py).

The parent holds all of params.yaml and the final metrics of every stage, so that MLflow's compare view can set whole
pipelines side by side.

Importing this module imports MLflow; only the recorder and `mlflow-sync` do.
"""

import fcntl
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run
from mlflow.exceptions import MlflowException

from fieldguide.params import PARAMS_FILE
from fieldguide.track.address import artifact_location, is_own, project_root, rehome, tracking_uri
from fieldguide.track.naming import flatten
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
    its parent. Of two machines on one server see `settle_parent`.
    """
    root = project_root()
    uri = tracking_uri(root)
    lock = root / ".dvc" / "tmp" / "mlflow.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        client = MlflowClient(uri)
        yield client, _find_experiment(client, root, artifact_location(uri, root))


def _find_experiment(client: MlflowClient, root: Path, location: str | None) -> str:
    """The experiment's id; it is created where there is none."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        with suppress(MlflowException):  # another machine was faster
            client.create_experiment(EXPERIMENT, artifact_location=location)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            # Not for that reason: let it say so.
            return str(client.create_experiment(EXPERIMENT, artifact_location=location))
    if location and experiment.artifact_location != location and is_own(root):
        rehome(root, experiment.artifact_location, location)
    return str(experiment.experiment_id)


def find_parent(client: MlflowClient, experiment_id: str, key: str) -> Run | None:
    """The parent run with this key, if there is one; of several the one that every machine takes."""
    found = client.search_runs([experiment_id], f"tags.`{KEY_TAG}` = '{key}'")
    return min(found, key=lambda run: (run.info.start_time, run.info.run_id), default=None)


def settle_parent(client: MlflowClient, experiment_id: str, key: str, created: str | None) -> str | None:
    """The id of the parent run with this key; `created`, the one made here, gives way if it is another.

    MLflow has no lock, so two machines on one server may each create the parent of one pipeline run. Both then find the
    same one to be the parent, and the other one's maker takes it back.
    """
    parent = find_parent(client, experiment_id, key)
    if parent is None:
        return created
    run_id: str = parent.info.run_id
    if created and created != run_id:
        for child in client.search_runs([experiment_id], f"tags.`{PARENT_TAG}` = '{created}'"):
            client.set_tag(child.info.run_id, PARENT_TAG, run_id)
        client.delete_run(created)
    return run_id


def create_parent(
    client: MlflowClient, experiment_id: str, run: PipelineRun, params: Mapping[str, Any], tags: Mapping[str, str]
) -> str:
    """Create a parent run that holds all of `params`; return its id."""
    tags = {
        KEY_TAG: run.key,
        "preset": run.preset or "own",
        "changed": run.changes or "nothing",
        "mlflow.source.git.commit": run.baseline,
        "mlflow.source.name": "dvc.yaml",
        **tags,
    }
    run_id: str = client.create_run(experiment_id, run_name=run.title, tags=tags).info.run_id
    log_params(client, run_id, params)
    client.log_text(run_id, run.params, PARAMS_FILE.name)
    return run_id


def allowed_name(name: str) -> str:
    """`name` with what MLflow refuses (`@`, brackets, ...) replaced by `_`."""
    return re.sub(r"[^\w.\- ]", "_", name)[:MAX_NAME_LENGTH]


def to_metrics(content: Mapping[str, Any], at_ms: int, prefix: str = "", step: int = 0) -> list[Metric]:
    """The numbers among the leaves of `content`, in MLflow's form; `at_ms` is in milliseconds since 1970.

    A pair of numbers is an interval: NAME.low and NAME.high.
    """
    return [
        Metric(allowed_name(name), float(value), at_ms, step)
        for leaf, held in flatten(content, prefix)
        for name, value in _open_interval(leaf, held)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _open_interval(name: str, value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, list) or len(value) != 2:
        return [(name, value)]
    low, high = value
    return [(f"{name}.low", low), (f"{name}.high", high)]


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
    logged = to_metrics(metrics, at_ms, prefix=f"{stage}.")
    # What people look for first, under a name that they find.
    logged += [Metric("student_top1", each.value, at_ms, 0) for each in logged if each.key == "evaluate.student.top1"]
    client.log_batch(parent_id, metrics=logged)
    client.log_text(parent_id, json.dumps(metrics, indent=2, ensure_ascii=False), f"metrics/{stage}.json")


def holds_stage(parent: Run, stage: str) -> bool:
    """Whether the parent run has metrics of this stage."""
    return any(name.startswith(f"{allowed_name(stage)}.") for name in parent.data.metrics)
