"""Experiments and MLflow together: one parent per pipeline run, whatever DVC ran, skipped or queued."""

from pathlib import Path

import pytest

from fieldguide.track.stale import stale_stages
from tests.pipeline.miniature import make_miniature
from tests.pipeline.project import Project
from tests.pipeline.queued import drain_queue
from tests.pipeline.recorded import Recorded, read_recorded

pytestmark = pytest.mark.slow

ALL_PARAMS = {
    "draw.num_numbers": "5",
    "distill_student.temperature": "3.0",
    "distill_student.epochs": "3",
    "distill_student.seconds": "0.0",
    "distill_student.layers": "[4, 2]",
}


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A miniature in which `dvc repro` ran, was committed, and one experiment changed the second stage."""
    project = make_miniature(tmp_path_factory.mktemp("lived-in") / "project")
    project.run("dvc", "repro")
    project.commit("Results")
    project.run("dvc", "exp", "run", "--name", "warmer", "-S", "distill_student.temperature=5")
    return project


@pytest.fixture(scope="module")
def recorded(lived_in: Project) -> list[Recorded]:
    return read_recorded(lived_in.root)


def test_a_parent_holds_all_parameters_and_every_stages_metrics(recorded: list[Recorded]):
    repro, warmer = recorded
    assert repro.name.startswith("repro ")
    assert repro.status == "FINISHED"
    assert repro.params == ALL_PARAMS
    assert repro.metrics == {"draw.num_numbers": 5, "distill-student.student.top1": 0.3}
    assert repro.artifacts == ["metrics/distill-student.json", "metrics/draw.json", "params.yaml"]
    # The experiment did not run `draw` again, but its numbers are part of the experiment all the same.
    assert warmer.name == "warmer"
    assert (repro.tags["changed"], warmer.tags["changed"]) == ("nothing", "distill_student.temperature=5")
    assert warmer.params == {**ALL_PARAMS, "distill_student.temperature": "5"}
    assert warmer.metrics == {"draw.num_numbers": 5, "distill-student.student.top1": 0.5}


def test_a_child_holds_curves_files_and_what_it_read(lived_in: Project, recorded: list[Recorded]):
    repro, warmer = recorded
    assert [child.name for child in repro.children] == ["draw", "distill-student"]
    assert [child.name for child in warmer.children] == ["distill-student"]
    child = repro.child("distill-student")
    assert child.status == "FINISHED"
    assert child.params["temperature"] == "3.0"
    assert child.curves["loss"] == [(0, 3.0), (1, 1.5), (2, 1.0)]
    # MLflow refuses the @ of top1@val.
    assert child.curves["top1_val"] == [(0, 0.5), (1, 0.5), (2, 0.5)]
    assert child.metrics["student.top1"] == 0.3
    assert child.artifacts == ["weights.txt"]
    assert list(child.inputs) == ["interim/draw"]
    assert child.inputs["interim/draw"] in (lived_in.root / "dvc.lock").read_text(encoding="utf-8")
    assert len(child.inputs["interim/draw"]) == 36


def test_sync_brings_back_what_a_database_lost(lived_in: Project, recorded: list[Recorded]):
    (lived_in.root / "mlflow.db").rename(lived_in.root / "lost.db")
    # A fresh database makes MLflow say so on stderr.
    assert lived_in.run("python", "-m", "fieldguide", "mlflow-sync").startswith(
        "2 added, 0 completed, 0 already there\n"
    )
    synced = {run.name.split()[0]: run for run in read_recorded(lived_in.root)}
    for run in recorded:
        again = synced[run.name.split()[0]]
        assert again.status == "FINISHED"
        assert (again.params, again.metrics, again.artifacts) == (run.params, run.metrics, run.artifacts)
    assert lived_in.run("python", "-m", "fieldguide", "mlflow-sync") == "0 added, 0 completed, 2 already there\n"
    (lived_in.root / "lost.db").replace(lived_in.root / "mlflow.db")
    assert lived_in.run("python", "-m", "fieldguide", "mlflow-sync") == "0 added, 0 completed, 2 already there\n"


def test_four_queued_experiments_leave_four_parents(tmp_path: Path):
    # Two workers meet on a database that does not exist yet, in workspaces that are gone when we look.
    project = make_miniature(tmp_path / "project")
    temperatures = ["1.0", "2.0", "4.0", "8.0"]
    project.run("dvc", "exp", "run", "--queue", "-S", f"distill_student.temperature={','.join(temperatures)}")
    drain_queue(project, workers=2)
    runs = read_recorded(project.root)
    assert sorted(run.params["distill_student.temperature"] for run in runs) == temperatures
    assert len({run.name for run in runs}) == 4
    for run in runs:
        temperature = float(run.params["distill_student.temperature"])
        assert run.status == "FINISHED"
        assert run.metrics["distill-student.student.top1"] == temperature / 10
        assert run.metrics["draw.num_numbers"] == 5
        assert "metrics/distill-student.json" in run.artifacts
        child = run.child("distill-student")
        assert child.artifacts == ["weights.txt"]
        assert child.curves["loss"][0] == (0, temperature)


def test_a_stage_is_stale_until_it_ran_with_what_it_reads_now(lived_in: Project, tmp_path: Path):
    project = lived_in.clone(tmp_path / "clone")
    project.env["FIELDGUIDE_TRACKING"] = "off"
    stages = ["draw", "distill-student"]
    # A fresh clone holds the numbers and none of the files.
    assert stale_stages(stages, project.root) == {}

    params = project.root / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace("num_numbers: 5", "num_numbers: 6"), encoding="utf-8")
    not_drawn = "draw has not run since draw changed"
    assert stale_stages(stages, project.root) == {"draw": not_drawn, "distill-student": not_drawn}

    project.run("dvc", "repro", "draw")
    not_distilled = {"distill-student": "distill-student has not run since interim/draw changed"}
    assert stale_stages(stages, project.root) == not_distilled
    project.run("dvc", "repro")
    assert stale_stages(stages, project.root) == {}

    (project.root / "stages/draw.py").write_text("raise SystemExit(1)", encoding="utf-8")
    project.run("dvc", "repro", check=False)
    reason = "draw has not run since stages/draw.py changed"
    assert stale_stages(stages, project.root) == {"draw": reason, "distill-student": reason}
