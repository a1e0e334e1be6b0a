"""The train-teacher stage as a program: global and regional teachers, and what it says when it cannot."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from fieldguide.files import file_sha256
from fieldguide.records.reader import RecordSet
from tests.learn.making import teacher_section
from tests.stages.learning import make_workspace, run_stage

pytestmark = pytest.mark.slow

FILES = {"model.safetensors", "last.safetensors", "model.json", "history.csv", "digests.json"}
OPTIONS = {"tfrecord": "interim/tfrecord", "embed": "interim/embed"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    teachers = {
        "global": teacher_section(epochs=2),
        "north": teacher_section(epochs=1, region="north", max_samples=9),
        "moon": teacher_section(region="moon"),
        "further": teacher_section(
            epochs=1, region="north", init_from="global", train_set="small", min_samples={"species": 3}
        ),
    }
    return make_workspace(tmp_path_factory.mktemp("teacher"), {"train_teacher": teachers})


def train(workspace: Path, teacher: str):
    return run_stage(workspace, "train_teacher", teacher=teacher, **OPTIONS, out=f"models/teachers/{teacher}")


def test_a_global_teacher_knows_all_classes(workspace: Path):
    done = train(workspace, "global")
    assert done.returncode == 0, done.stderr
    out = workspace / "models/teachers/global"
    assert {path.name for path in out.iterdir()} == FILES
    metrics = json.loads((workspace / "metrics/train-teacher-global.json").read_text())
    assert list(metrics) == [
        "best_epoch", "val_loss", "val_top1", "val_top1_species", "val_top1_genus", "num_epochs",
        "num_train", "num_val", "num_classes", "num_parameters", "weights_sha256",
    ]  # fmt: skip
    assert metrics["weights_sha256"] == file_sha256(out / "model.safetensors")
    assert (metrics["num_epochs"], metrics["num_train"], metrics["num_val"], metrics["num_classes"]) == (2, 48, 12, 5)
    assert done.stderr.count("val top-1") == 2


def test_a_regional_teacher_knows_its_regions_classes(workspace: Path):
    done = train(workspace, "north")
    assert done.returncode == 0, done.stderr
    spec = json.loads((workspace / "models/teachers/north/model.json").read_text())
    assert spec["region"] == "north"
    assert spec["classes"]["species"] == ["other", "Aster alpinus", "Linum album"]
    metrics = json.loads((workspace / "metrics/train-teacher-north.json").read_text())
    assert metrics["num_train"] <= 9


def test_a_teacher_goes_on_from_another_one_twice_alike(workspace: Path):
    if not (workspace / "models/teachers/global").is_dir():
        assert train(workspace, "global").returncode == 0
    photo_ids = RecordSet.open(workspace / "interim/tfrecord", "train").photo_ids[:40]
    pl.DataFrame({"photo_id": photo_ids}).write_parquet(workspace / "interim/split/train_small.parquet")
    out, written = workspace / "models/teachers/further", []
    for _ in range(2):
        shutil.rmtree(out, ignore_errors=True)
        done = train(workspace, "further")
        assert done.returncode == 0, done.stderr
        written.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert written[0] == written[1]
    spec = json.loads(written[0]["model.json"])
    digest = file_sha256(workspace / "models/teachers/global/model.safetensors")
    assert spec["weights"] == {"from": "teacher", "name": "global", "sha256": digest, "weights": {"from": "scratch"}}
    metrics = json.loads((workspace / "metrics/train-teacher-further.json").read_text())
    assert metrics["num_train"] < 16


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        ("moon", "train_teacher: split train has no photos of region 'moon'"),
        (
            "nobody",
            "train_teacher: params.yaml: no section 'nobody' at train_teacher; found global, north, moon, further",
        ),
    ],
)
def test_errors_are_one_line_and_exit_code_1(workspace: Path, teacher: str, message: str):
    done = train(workspace, teacher)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [message]
