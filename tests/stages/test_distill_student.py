"""The distill-student stage as a program, taught by teachers of different classes and sizes."""

import json
from pathlib import Path

import pytest

from fieldguide.learn.network import save_network
from tests.learn.making import make_network, student_section
from tests.stages.learning import make_workspace, run_stage

pytestmark = pytest.mark.slow

OPTIONS = {"tfrecord": "interim/tfrecord", "teachers": "models/teachers"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = make_workspace(tmp_path_factory.mktemp("student"), {})
    for seed, (name, image_size) in enumerate({"global": 32, "regional": 48}.items()):
        folder = workspace / "models/teachers" / name
        folder.mkdir(parents=True)
        save_network(make_network(seed=seed, image_size=image_size), folder)
    return workspace


def distill(workspace: Path, out: str, **changes: object):
    changes = {"epochs": 2, "teachers": {"global": 0.5, "regional": 0.5}, **changes}
    (workspace / "params.yaml").write_text(json.dumps({"distill_student": student_section(**changes)}))
    return run_stage(workspace, "distill_student", **OPTIONS, out=out)


def test_writes_a_student_and_leaves_nothing_else(workspace: Path):
    done = distill(workspace, "models/student")
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (workspace / "models/student").iterdir()}
    assert names == {"model.safetensors", "last.safetensors", "model.json", "history.csv", "digests.json"}
    metrics = json.loads((workspace / "metrics/distill-student.json").read_text())
    assert (metrics["num_epochs"], metrics["num_train"], metrics["num_classes"]) == (2, 48, 5)


def test_without_soft_weight_no_teacher_is_needed(workspace: Path):
    done = distill(workspace, "models/alone", soft_weight=0.0, teachers={"absent": 1.0})
    assert done.returncode == 0, done.stderr


def test_a_missing_teacher_is_one_line(workspace: Path):
    done = distill(workspace, "models/none", teachers={"absent": 1.0})
    assert done.returncode == 1
    expected = "distill_student: models/teachers/absent/model.json is missing; has training finished?"
    assert done.stderr.splitlines() == [expected]
