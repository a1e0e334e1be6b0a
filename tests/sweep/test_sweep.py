"""Sweeps in a real DVC repository: killed and resumed, in parallel, stopped early, failing, applied."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.pipeline.project import IDENTITY, Project
from tests.pipeline.recorded import read_recorded
from tests.sweep.project import SWEEP, make_project

pytestmark = pytest.mark.slow

COMMAND = ("python", "-m", "fieldguide", "sweep", "sweeps/student.yaml")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Nothing ran in it yet."""
    return make_project(tmp_path_factory.mktemp("sweep") / "project")


@pytest.fixture(scope="module")
def searched(template: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone in which the sweep ran undisturbed."""
    project = template.clone(tmp_path_factory.mktemp("searched") / "project")
    project.run(*COMMAND)
    return project


def change(project: Project, **changes: object) -> None:
    content = yaml.safe_load(SWEEP) | changes
    (project.root / "sweeps/student.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def read_trials(project: Project) -> list[dict[str, str]]:
    with (project.root / "reports/sweeps/student/trials.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def ran(project: Project) -> Counter[str]:
    """How often the stage of each experiment was started."""
    file = project.root / "ran.txt"
    return Counter(file.read_text(encoding="utf-8").split() if file.exists() else [])


def test_every_trial_is_an_experiment_and_the_best_one_is_applied(searched: Project):
    trials = read_trials(searched)
    assert [trial["state"] for trial in trials] == ["done"] * 3
    assert ran(searched) == Counter({f"student-{number:03d}": 1 for number in range(3)})
    assert set(searched.run("dvc", "exp", "list", "--name-only").split()) == set(ran(searched))
    assert (searched.root / "reports/sweeps/student/search.png").read_bytes().startswith(b"\x89PNG")
    for trial in trials:
        temperature = float(trial["distill_student.temperature"])
        assert float(trial["score"]) == pytest.approx(1 / (1 + abs(temperature - 3)))
        assert 8 <= int(trial["distill_student.batch_size"]) <= 16
    assert not list((searched.root / ".dvc/tmp/exps/standalone").glob("tmp*"))

    best = max(trials, key=lambda trial: float(trial["score"]))
    said = searched.run(*COMMAND, "--apply")
    assert f"{best['experiment']} is applied" in said
    params = yaml.safe_load((searched.root / "params.yaml").read_text(encoding="utf-8"))["distill_student"]
    assert params["temperature"] == float(best["distill_student.temperature"])
    assert params["epochs"] == 2
    assert (searched.root / "models/student/weights.txt").read_text() == best["distill_student.temperature"]
    assert f"*  {best['experiment']}" in searched.run(*COMMAND, "--status")


def test_a_killed_sweep_goes_on_as_if_nothing_had_happened(template: Project, searched: Project, tmp_path: Path):
    project = template.clone(tmp_path / "project")
    env = {**os.environ, **IDENTITY, **project.env}
    with subprocess.Popen(
        [sys.executable, *COMMAND[1:]], cwd=project.root, env=env, stderr=subprocess.DEVNULL
    ) as sweep:
        deadline = time.monotonic() + 300
        while len(ran(project)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        sweep.send_signal(signal.SIGKILL)
    running = project.run(*COMMAND, "--status")
    assert "1 done, 1 running, of 3 trials" in running
    project.run(*COMMAND)
    before = ran(project)
    times = Counter(before)
    # Its stage may have come to the end before it saw that DVC was gone.
    assert times.pop("student-001") in (1, 2)
    assert times == Counter({"student-000": 1, "student-002": 1})
    assert [{**trial, "epochs": ""} for trial in read_trials(project)] == [
        {**trial, "epochs": ""} for trial in read_trials(searched)
    ]
    assert not list((project.root / ".dvc/tmp/exps/standalone").glob("tmp*"))
    # What is done is not done again; more trials are.
    project.run(*COMMAND)
    assert ran(project) == before
    change(project, trials=4)
    project.run(*COMMAND)
    assert ran(project)["student-003"] == 1


def test_trials_run_in_parallel_and_bear_their_number_in_mlflow(template: Project, tmp_path: Path):
    project = template.clone(tmp_path / "project")
    project.env["FIELDGUIDE_TRACKING"] = "strict"
    change(project, parallel=2)
    project.run(*COMMAND)
    runs = {run.name: run for run in read_recorded(project.root)}
    assert runs.keys() == {"student-000", "student-001", "student-002"}
    for trial in read_trials(project):
        run = runs[trial["experiment"]]
        assert (run.tags["sweep"], run.tags["trial"]) == ("student", trial["trial"])
        assert run.params["distill_student.temperature"] == trial["distill_student.temperature"]
        assert run.metrics["distill-student.val_top1"] == float(trial["score"])


def test_what_is_below_the_median_is_stopped_and_what_fails_is_said(template: Project, tmp_path: Path):
    project = template.clone(tmp_path / "project")
    stage = project.root / "stages/distill_student.py"
    stage.write_text(stage.read_text().replace("PAUSE_S = 0.3", "PAUSE_S = 3.0"))
    project.commit("Slower")
    change(
        project,
        trials=3,
        random_trials=3,
        seed=11,
        pruner={"stage": "distill-student", "curve": "val_top1", "first_trials": 1, "first_epochs": 0},
        space={
            "distill_student.temperature": {"kind": "categorical", "values": [3.0, 40.0]},
            "distill_student.optimizer": {"kind": "categorical", "values": ["adamw", "sgd"]},
        },
    )
    project.run(*COMMAND)
    trials = read_trials(project)
    states = {trial["experiment"]: trial["state"] for trial in trials}
    drawn = [(trial["distill_student.optimizer"], trial["distill_student.temperature"]) for trial in trials]
    assert drawn[:2] == [("adamw", "3.0"), ("adamw", "40.0")]
    assert drawn[2][0] == "sgd"
    assert [*states.values()] == ["done", "stopped", "failed"]
    assert "distill_student: no training with sgd here" in trials[2]["problem"]
    done = [name for name, state in states.items() if state == "done"]
    assert sorted(project.run("dvc", "exp", "list", "--name-only").split()) == sorted(done)
    assert not list((project.root / ".dvc/tmp/exps/standalone").glob("tmp*"))
    assert "Running" not in project.run("dvc", "exp", "show", "--no-pager")


def test_another_space_under_an_old_name_is_refused(searched: Project):
    change(searched, seed=18)
    [line] = searched.run(*COMMAND, check=False).splitlines()
    assert "was begun with another target, metric, space, set or seed" in line
    change(searched)
