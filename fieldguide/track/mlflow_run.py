"""The child run of one stage in MLflow: parameters, curves, system metrics, files, and digests of what it read."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

from fieldguide.params import read_params
from fieldguide.track.dead_runs import end_dead_runs, origin_tags
from fieldguide.track.lockfile import stage_inputs, stages_before
from fieldguide.track.mlflow_store import (
    PARENT_TAG,
    STAGE_TAG,
    create_parent,
    holds_stage,
    locked_store,
    log_params,
    log_stage_metrics,
    settle_parent,
    to_metrics,
)
from fieldguide.track.naming import sweep_tags
from fieldguide.track.pipeline_run import current_pipeline_run

SAMPLE_EVERY_S = 5.0
MAX_DIGEST_LENGTH = 36


@dataclass
class StageRun:
    """The child run of the stage that is running now."""

    stage: str
    client: MlflowClient
    experiment_id: str
    key: str
    """Of the pipeline run."""
    parent_id: str
    created: str | None
    """The parent, if it was made here."""
    run_id: str
    monitor: SystemMetricsMonitor = field(repr=False)

    @classmethod
    def start(cls, stage: str, params: Mapping[str, Any], at_ms: int) -> "StageRun":
        """Find or create the parent, create the child, begin to sample the machine."""
        pipeline_run = current_pipeline_run()
        created = None
        with locked_store() as (client, experiment_id):
            end_dead_runs(client, experiment_id)
            parent_id = settle_parent(client, experiment_id, pipeline_run.key, None)
            if parent_id is None:
                parent_id = created = create_parent(client, experiment_id, pipeline_run, read_params(), sweep_tags())
            else:
                client.update_run(parent_id, status="RUNNING")
            for name, value in origin_tags().items():
                client.set_tag(parent_id, name, value)
        tags = {PARENT_TAG: parent_id, STAGE_TAG: stage, "mlflow.source.name": stage, **origin_tags()}
        run_id = client.create_run(experiment_id, at_ms, run_name=stage, tags=tags).info.run_id
        log_params(client, run_id, params)
        if inputs := _dataset_inputs():
            client.log_inputs(run_id, inputs)
        monitor = SystemMetricsMonitor(run_id, sampling_interval=SAMPLE_EVERY_S, tracking_uri=client.tracking_uri)
        monitor.start()
        run = cls(stage, client, experiment_id, pipeline_run.key, parent_id, created, run_id, monitor)
        run.settle()
        return run

    def settle(self) -> None:
        """Agree with other machines on the parent."""
        settled = settle_parent(self.client, self.experiment_id, self.key, self.created)
        if settled and settled != self.parent_id:
            self.parent_id, self.created = settled, None
            self.client.set_tag(self.run_id, PARENT_TAG, settled)

    def log_metrics(self, metrics: Mapping[str, Any], at_ms: int) -> None:
        """Final metrics, to the child and to the parent; the parent also gets those of the stages before this one.

        DVC skips a stage that has not changed, but its metrics belong to this pipeline run all the same.
        """
        self.settle()
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
            # The stage goes on meanwhile: what it has under a temporary name (files.written_whole) is gone soon.
            with TemporaryDirectory(prefix="fieldguide-") as scratch:
                whole = shutil.copytree(path, Path(scratch) / path.name, ignore=shutil.ignore_patterns(".*.partial"))
                self.client.log_artifacts(self.run_id, str(whole), path.name)
        else:
            self.client.log_artifact(self.run_id, str(path))

    def end(self, status: str, at_ms: int) -> None:
        """Close the child with FINISHED, FAILED or KILLED, and the parent with the same until its next stage."""
        self.monitor.finish()
        self.settle()
        self.client.set_terminated(self.run_id, status, at_ms)
        self.client.set_terminated(self.parent_id, status, at_ms)


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
