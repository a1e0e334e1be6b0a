"""Runs of several machines and of dead processes, in a real database without the lock that one machine has."""

import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fieldguide.track.pipeline_run import PipelineRun
from fieldguide.track.recorder import Recording
from tests.pipeline.recorded import read_recorded

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # MLflow's and its dependencies' own

RUN = PipelineRun("it's mine", "a" * 40, "x: 1")
NOBODY = "http://127.0.0.1:9"
"""An address where no server listens."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    (root / "params.yaml").write_text("x: 1\n", encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def store() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fieldguide.track import mlflow_store
    return mlflow_store


@pytest.fixture
def place(root: Path, store: ModuleType, monkeypatch) -> Iterator[tuple[Any, str]]:
    """A client and an experiment."""
    monkeypatch.chdir(root)
    with store.locked_store() as opened:
        yield opened


def make_child(store: ModuleType, client: Any, experiment: str, parent: str, **tags: str) -> str:
    tags = {store.PARENT_TAG: parent, store.STAGE_TAG: "resize", **tags}
    return str(client.create_run(experiment, run_name="resize", tags=tags).info.run_id)


def test_machines_that_meet_create_one_experiment(place: tuple[Any, str], root: Path, store: ModuleType, monkeypatch):
    client, _ = place
    monkeypatch.setattr(store, "EXPERIMENT", "met")
    with ThreadPoolExecutor(4) as machines:
        found = list(machines.map(lambda _: store._find_experiment(client, root, None), range(4)))
    assert len(set(found)) == 1


def test_machines_that_meet_agree_on_one_parent(place: tuple[Any, str], store: ModuleType):
    client, experiment = place
    created = [store.create_parent(client, experiment, RUN, {"x": 1}, {}) for _ in range(2)]
    children = [make_child(store, client, experiment, parent) for parent in created]
    settled = {store.settle_parent(client, experiment, RUN.key, parent) for parent in created}
    assert len(settled) == 1
    assert {client.get_run(child).data.tags[store.PARENT_TAG] for child in children} == settled
    assert len(client.search_runs([experiment], f"tags.`{store.KEY_TAG}` = '{RUN.key}'")) == 1
    assert store.settle_parent(client, experiment, RUN.key, None) in settled


def test_runs_whose_recorder_is_gone_are_closed(place: tuple[Any, str], store: ModuleType):
    from fieldguide.track.dead_runs import HOST_TAG, PROCESS_TAG, RECORDER, end_dead_runs, origin_tags

    client, experiment = place
    here = origin_tags()[HOST_TAG]
    gone = {HOST_TAG: here, PROCESS_TAG: "999999999"}
    alone, shared, childless = (
        store.create_parent(client, experiment, PipelineRun(name, "a" * 40, "x: 1"), {}, gone)
        for name in ("alone", "shared", "childless")
    )
    recorder = subprocess.Popen([sys.executable, "-c", "input()", RECORDER], stdin=subprocess.PIPE)
    try:
        # This process is no recorder: the number of a dead one was given to another.
        dead = make_child(store, client, experiment, alone, **origin_tags())
        dead_too = make_child(store, client, experiment, shared, **gone)
        alive = make_child(store, client, experiment, shared, **{HOST_TAG: here, PROCESS_TAG: str(recorder.pid)})
        elsewhere = make_child(store, client, experiment, shared, **{HOST_TAG: "elsewhere", PROCESS_TAG: "1"})
        end_dead_runs(client, experiment)
    finally:
        recorder.communicate(b"\n")
    killed = [run for run in (alone, dead, dead_too, childless) if client.get_run(run).info.status == "KILLED"]
    running = [run for run in (shared, alive, elsewhere) if client.get_run(run).info.status == "RUNNING"]
    assert (killed, running) == ([alone, dead, dead_too, childless], [shared, alive, elsewhere])


def test_a_server_that_is_back_hears_the_end(root: Path, place: tuple[Any, str], tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("resize: {size: 112}\n", encoding="utf-8")
    recording = Recording()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", NOBODY)
    recording.take("start", {"stage": "resize", "params": {"size": 112}, "at_ms": 1})
    assert recording.failure
    assert recording.failure.startswith("MlflowException: API request to")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root}/mlflow.db")
    recording.take("metrics", {"metrics": {"num_photos": 3}, "at_ms": 2})
    recording.take("end", {"status": "FINISHED", "at_ms": 3})
    (run,) = [run for run in read_recorded(root) if run.params == {"resize.size": "112"}]
    assert (run.status, run.metrics) == ("FINISHED", {"resize.num_photos": 3})
    assert [child.status for child in run.children] == ["FINISHED"]


def test_a_folder_is_recorded_without_what_is_being_written(root: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("resize: {size: 113}\n", encoding="utf-8")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root}/mlflow.db")
    report = tmp_path / "report"
    (report / "models").mkdir(parents=True)
    for name in ("index.html", "models/labels.json", ".digests.json.7.partial"):
        (report / name).write_text(name)
    recording = Recording()
    recording.take("start", {"stage": "resize", "params": {"size": 113}, "at_ms": 1})
    recording.take("artifact", {"path": str(report), "at_ms": 2})
    recording.take("end", {"status": "FINISHED", "at_ms": 3})
    assert recording.failure is None
    written = {file.name for file in tmp_path.rglob("artifacts/report/**/*") if file.is_file()}
    written |= {file.name for file in root.rglob("artifacts/report/**/*") if file.is_file()}
    assert written == {"index.html", "labels.json"}


def test_the_first_metrics_people_look_for(place: tuple[Any, str], store: ModuleType):
    client, experiment = place
    run = PipelineRun("shown", "a" * 40, "x: 1")
    parent = store.create_parent(client, experiment, run, {"x": 1}, {})
    store.log_stage_metrics(client, parent, "evaluate", {"student": {"top1": 0.75}}, 1)
    recorded = client.get_run(parent)
    assert recorded.data.metrics == {"evaluate.student.top1": 0.75, "student_top1": 0.75}
    assert (recorded.info.run_name, recorded.data.tags["preset"], recorded.data.tags["changed"]) == (
        "shown", "own", "nothing",
    )  # fmt: skip
