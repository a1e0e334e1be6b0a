"""Presets on somebody's own photographs: what takes the place of PHOTOS and WEIGHTS."""

import json
from pathlib import Path

import pytest

from fieldguide.__main__ import main
from fieldguide.commands.real import fill_in, run_preset
from fieldguide.errors import FieldguideError
from tests.pipeline.project import Project

PIPELINE = """
stages:
  clean:
    cmd: python toy.py clean
    deps: [toy.py, data]
    params: [clean]
    metrics: [metrics/clean.json: {cache: false}]
  evaluate:
    cmd: python toy.py evaluate
    deps: [toy.py, metrics/clean.json]
    params: [distill_student]
    metrics: [metrics/evaluate.json: {cache: false}]
  export-tfjs:
    cmd: python toy.py export-tfjs
    deps: [toy.py, metrics/evaluate.json]
    metrics: [metrics/export-tfjs.json: {cache: false}]
"""

TOY = """
import json, sys
from pathlib import Path
import yaml

params = yaml.safe_load(Path("params.yaml").read_text())
[root] = params["fetch"]["sources"]["own"]["roots"]
num_photos = len(list(Path(root).iterdir()))
student = {"top1": 0.5 + params["distill_student"]["soft_weight"] / 10, "ece": 0.25}
metrics = {
    "clean": {"num_photos": num_photos, "num_kept": 1, "reasons": {"kept": 1}},
    "evaluate": {"student": student},
    "export-tfjs": {"bundle_mb": 5},
}
Path("metrics").mkdir(exist_ok=True)
Path(f"metrics/{sys.argv[1]}.json").write_text(json.dumps(metrics[sys.argv[1]]))
"""

OVERLAY = """
templates:
  backbone: {weights: {from: scratch}}
  training: {rank_weights: {species: 1.0, genus: 0.3, family: 0.1}}
fetch: {sources: {own: {kind: folders, roots: [PHOTOS/images]}}}
train_teacher: {global: {}}
distill_student: {teachers: {global: 1.0}}
"""


def test_a_folder_has_one_spelling(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    spellings = [Path("../photos"), tmp_path / "photos", tmp_path / "here" / ".." / "photos"]
    # Another spelling would be another parameter, and hours of training would be done again.
    assert {fill_in("PHOTOS/images", {"PHOTOS": spelling}) for spelling in spellings} == {f"{tmp_path}/photos/images"}


def test_folders_take_the_place_of_their_names():
    folders = {"PHOTOS": Path("/photos: mine #1"), "WEIGHTS": Path("/weights")}
    content = {
        "roots": ["PHOTOS/images", "PHOTOS", "PHOTOSHOP/x", "data/PHOTOS"],
        "train": {"weights": "WEIGHTS/vit.pth", "epochs": 3, "resume": None},
    }
    assert fill_in(content, folders) == {
        "roots": ["/photos: mine #1/images", "/photos: mine #1", "PHOTOSHOP/x", "data/PHOTOS"],
        "train": {"weights": "/weights/vit.pth", "epochs": 3, "resume": None},
    }


def test_a_missing_folder_is_one_line(tmp_path: Path, capsys):
    absent = tmp_path / "absent"
    with pytest.raises(SystemExit, match="1"):
        main(["real", "--photos", str(absent), "--weights", str(tmp_path)])
    assert capsys.readouterr().err == f"real: {absent} is not a folder\n"


@pytest.fixture
def repository(tmp_path: Path) -> Project:
    """A committed repository with a toy pipeline, its data in the in-tree store, and a preset."""
    root = tmp_path / "repository"
    files = {
        "dvc.yaml": PIPELINE,
        "toy.py": TOY,
        "params.yaml": "clean: {}\ndistill_student: {}\n",
        "real.yaml": OVERLAY,
        "data/sample.txt": "sample",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    project = Project(root)
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    project.run("dvc", "remote", "add", "--default", "sample", "sample/store")
    project.run("dvc", "add", "data")
    project.run("dvc", "push")
    project.commit("A toy pipeline")
    return project


@pytest.mark.slow
def test_a_preset_runs_in_a_scratch_clone(repository: Project, tmp_path: Path, monkeypatch):
    (tmp_path / "own" / "images").mkdir(parents=True)
    for number in range(3):
        (tmp_path / "own" / "images" / f"{number}.jpg").touch()
    monkeypatch.chdir(repository.root)
    scratch = tmp_path / "scratch"
    rows = run_preset(Path("real.yaml"), tmp_path / "own", tmp_path, scratch)
    assert rows == [
        ("photos kept", "1 of 3"),
        ("student", "top-1 57.0%"),
        ("browser bundle", "5.0 MB"),
        ("student without distillation", "top-1 50.0%, ECE 0.250"),
    ]
    # What stays is the student that was taught; the repository itself is as it was.
    assert json.loads((scratch / "metrics" / "evaluate.json").read_bytes())["student"]["top1"] == 0.57
    assert repository.run("git", "status", "--porcelain") == ""

    (scratch / "toy.py").write_text("raise SystemExit(3)", encoding="utf-8")
    with pytest.raises(FieldguideError, match="dvc repro evaluate failed in"):
        run_preset(Path("real.yaml"), tmp_path / "own", tmp_path, scratch)
