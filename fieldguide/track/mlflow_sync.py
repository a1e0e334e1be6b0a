"""Brings into MLflow what DVC did without running a stage: experiments served from its run cache.

Git holds params.yaml and metrics/*.json of every commit and every experiment, so the parent run of each can be made, or
completed, afterwards. Running it twice changes nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from fieldguide.errors import FieldguideError
from fieldguide.track.dead_runs import end_dead_runs
from fieldguide.track.lockfile import consistent_stages
from fieldguide.track.mlflow_store import (
    create_parent,
    find_parent,
    holds_stage,
    locked_store,
    log_stage_metrics,
)
from fieldguide.track.pipeline_run import REPRO, PipelineRun, git, show

SYNCED_TAG = "fieldguide.synced"


@dataclass(frozen=True)
class SyncReport:
    """How many pipeline runs were added, completed with metrics they lacked, and already whole."""

    num_added: int
    num_completed: int
    num_whole: int


@dataclass(frozen=True)
class Revision:
    """A commit that holds the results of a pipeline run."""

    sha: str
    name: str | None
    """The experiment's name; None for an ordinary commit."""
    baseline: str
    """The commit that the run may have started from."""


def sync() -> SyncReport:
    """Make or complete the parent run of HEAD, of every commit with experiments, and of each experiment."""
    counts = {"added": 0, "completed": 0, "whole": 0}
    revisions = list(list_revisions())
    with locked_store() as (client, experiment_id):
        end_dead_runs(client, experiment_id)
        for revision in revisions:
            params = show(revision.sha, "params.yaml")
            if params is None:
                continue
            content = YAML(typ="safe", pure=True).load(params)
            metrics = dict(_committed_metrics(revision.sha, content))
            if not metrics:
                continue
            candidates = _candidates(revision, params)
            found = (find_parent(client, experiment_id, run.key) for run in candidates)
            parent = next((run for run in found if run), None)
            if parent is None:
                run = candidates[0]
                parent_id = create_parent(client, experiment_id, run, content, {SYNCED_TAG: "true"})
                missing = metrics
            else:
                parent_id = parent.info.run_id
                missing = {stage: values for stage, values in metrics.items() if not holds_stage(parent, stage)}
            at_ms = _committed_at_ms(revision.sha)
            for stage, values in missing.items():
                log_stage_metrics(client, parent_id, stage, values, at_ms)
            if parent is None:
                client.set_terminated(parent_id, "FINISHED")
            counts["added" if parent is None else "completed" if missing else "whole"] += 1
    return SyncReport(counts["added"], counts["completed"], counts["whole"])


def list_revisions() -> Iterator[Revision]:
    """HEAD and every experiment DVC knows, newest commits first, each once."""
    head = git("rev-parse", "HEAD")
    if head is None:
        raise FieldguideError("the repository has no commit yet; commit the results first")
    yield Revision(head, None, head)
    listing = git("for-each-ref", "refs/exps", "--format=%(refname) %(objectname)") or ""
    baselines = {head}
    for line in listing.splitlines():
        # refs/exps/<2 digits>/<38 digits>/<name>; refs/exps/exec, .../celery and .../apply are DVC's own.
        parts = line.split()[0].split("/")
        if len(parts) != 5 or len(parts[2]) != 2 or len(parts[3]) != 38:
            continue
        baseline = parts[2] + parts[3]
        if baseline not in baselines and git("cat-file", "-e", baseline) is not None:
            baselines.add(baseline)
            yield Revision(baseline, None, baseline)
        yield Revision(line.split()[1], parts[4], baseline)


def _candidates(revision: Revision, params: str) -> list[PipelineRun]:
    """The pipeline runs that may have led to a revision, the one to create first.

    `dvc repro` runs before its results are committed, so a commit's run may have started from its parent.
    """
    if revision.name:
        return [PipelineRun(revision.name, revision.baseline, params)]
    starts = [revision.sha, *(git("rev-parse", f"{revision.sha}^@") or "").splitlines()]
    return [PipelineRun(REPRO, start, params) for start in starts]


def _committed_metrics(revision: str, params: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The metrics of the stages that ran with `params`; those of another run are left out."""
    lock = YAML(typ="safe", pure=True).load(show(revision, "dvc.lock") or "") or {}
    stages = {name.replace("@", "-") for name in consistent_stages(lock, params)}
    for path in (git("ls-tree", "--name-only", revision, "metrics/") or "").splitlines():
        stage = path.removeprefix("metrics/").removesuffix(".json")
        if stage not in stages:
            continue
        try:
            content = json.loads(show(revision, path) or "")
        except ValueError as error:
            raise FieldguideError(f"{path} of revision {revision[:7]} is not JSON: {error}") from None
        yield stage, content


def _committed_at_ms(revision: str) -> int:
    return int(git("show", "--no-patch", "--format=%ct", revision) or 0) * 1000
