"""Reads back what was recorded in a repository's MLflow database."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.track.address import tracking_uri


@dataclass
class Recorded:
    """One run, as MLflow holds it, and the runs nested in it."""

    name: str
    status: str
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    artifacts: list[str]
    inputs: dict[str, str]
    """Digest of each dataset by its name."""
    curves: dict[str, list[tuple[int, float]]]
    children: list["Recorded"] = field(default_factory=list)

    def child(self, name: str) -> "Recorded":
        (found,) = [child for child in self.children if child.name == name]
        return found


def read_recorded(root: Path, uri: str | None = None) -> list[Recorded]:
    """The pipeline runs in `root`/mlflow.db, or at `uri`, oldest first, each with its stages in the order they ran."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's and its dependencies' own
        from mlflow import MlflowClient

        client = MlflowClient(uri or tracking_uri(root))
        experiment = client.get_experiment_by_name("fieldguide")
        found = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
        runs = {run.info.run_id: (_recorded(client, run), run.data.tags.get("mlflow.parentRunId")) for run in found}
    for run, parent in runs.values():
        if parent:
            runs[parent][0].children.append(run)
    return [run for run, parent in runs.values() if not parent]


def _recorded(client: Any, run: Any) -> Recorded:
    run_id = run.info.run_id
    return Recorded(
        name=run.info.run_name,
        status=run.info.status,
        params=run.data.params,
        metrics=run.data.metrics,
        tags=run.data.tags,
        artifacts=_list_artifacts(client, run_id),
        inputs={entry.dataset.name: entry.dataset.digest for entry in run.inputs.dataset_inputs},
        curves={
            name: [(point.step, point.value) for point in client.get_metric_history(run_id, name)]
            for name in run.data.metrics
        },
    )


def _list_artifacts(client: Any, run_id: str, folder: str | None = None) -> list[str]:
    found: list[str] = []
    for item in client.list_artifacts(run_id, folder):
        found += _list_artifacts(client, run_id, item.path) if item.is_dir else [item.path]
    return found
