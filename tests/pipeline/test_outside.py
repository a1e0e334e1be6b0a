"""Photos outside data/: DVC cannot see them, and fetch runs all the same when they have changed."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from fieldguide.files import write_json
from tests.pipeline.miniature import make_miniature
from tests.pipeline.project import ROOT, Project
from tests.pipeline.queued import drain_queue

pytestmark = pytest.mark.slow

PIPELINE = """
stages:
  fetch:
    cmd: python -m stages.fetch --data data --out interim/fetch --looks outside/sources.yaml
    deps: [data, outside/sources.yaml]
    params: [fetch]
    outs: [interim/fetch: {persist: true}]
"""
LOOKS = "outside/dvc.yaml:look@sources"
UP_TO_DATE = "Data and pipelines are up to date."


def put_photo(path: Path, content: bytes = b"photo") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def set_roots(project: Project, *roots: Path | str) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["fetch"]
    fill = {"region": None, "licence": "CC0-1.0", "rights_holder": None}
    source = {"kind": "folders", "roots": [str(root) for root in roots], "pattern": None, "fill": fill}
    write_json(project.root / "params.yaml", {"fetch": params | {"sources": {"own": source}}})


def repro(project: Project) -> list[str]:
    """The stages that `dvc repro` runs."""
    lines = project.run("dvc", "repro").splitlines()
    assert UP_TO_DATE in lines or any(line.startswith("Running stage") for line in lines)
    return [line.split("'")[1] for line in lines if line.startswith("Running stage")]


def num_photos(project: Project) -> Any:
    return yaml.safe_load((project.root / "metrics" / "fetch.json").read_text(encoding="utf-8"))["num_rows"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = make_miniature(tmp_path / "project")
    project.env["FIELDGUIDE_TRACKING"] = "off"
    shutil.copyfile(ROOT / "stages/fetch.py", project.root / "stages/fetch.py")
    shutil.copytree(ROOT / "outside", project.root / "outside")
    (project.root / "dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    put_photo(project.root / "data/photos/Abies alba/1.jpg")
    set_roots(project, "data/photos")
    project.run("dvc", "add", "--quiet", "data")
    project.commit("A folder of photos")
    return project


def test_a_folder_outside_is_looked_at_before_each_repro(project: Project, tmp_path: Path):
    assert repro(project) == ["fetch"]
    assert repro(project) == []

    photos = tmp_path / "photos"
    put_photo(photos / "Abies alba/2.jpg")
    set_roots(project, "data/photos", photos)
    assert repro(project) == ["fetch"]
    assert repro(project) == [LOOKS]
    assert num_photos(project) == 2

    put_photo(photos / "Picea abies/1.jpg", b"another")
    assert repro(project) == [LOOKS, "fetch"]
    assert num_photos(project) == 3
    assert repro(project) == [LOOKS]

    project.commit("Photos from outside")
    put_photo(photos / "Picea abies/1.jpg", b"retouched")
    project.run("dvc", "exp", "run", "--queue", "--name", "retouched", "-S", "fetch.photos_per_shard=7")
    drain_queue(project)

    set_roots(project, "data/photos")
    assert repro(project) == [LOOKS, "fetch"]
    assert repro(project) == []
