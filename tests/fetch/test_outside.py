"""What lies outside data/ is known by names, sizes and times; every way a source can name it is followed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from fieldguide.catalogue.sources import AnySource
from fieldguide.errors import CatalogueError
from fieldguide.fetch.named_paths import named_paths
from fieldguide.fetch.outside import look_again, look_at, outside, write_looks
from tests.stages.fetching import NO_FILL, OBSERVATIONS


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos/Abies alba").mkdir(parents=True)
    (tmp_path / "photos/Abies alba/1.jpg").write_bytes(b"photo")
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "photos"


@pytest.mark.parametrize(
    "change",
    [
        lambda photos: (photos / "Abies alba/2.jpg").touch(),
        lambda photos: (photos / "Abies alba/1.jpg").unlink(),
        lambda photos: (photos / "Abies alba/1.jpg").rename(photos / "Abies alba/2.jpg"),
        lambda photos: (photos / "Abies alba").rename(photos / "Abies"),
        lambda photos: (photos / "Abies alba/1.jpg").write_bytes(b"longer"),
        lambda photos: os.utime(photos / "Abies alba/1.jpg", (1, 1)),
        lambda photos: (photos / "Picea").symlink_to(photos / "Abies alba/1.jpg"),
    ],
    ids=["added", "removed", "renamed", "folder renamed", "longer", "later", "linked"],
)
def test_a_change_is_seen(photos: Path, change: Callable[[Path], Any]):
    before = look_at(photos)
    assert (before.files, before.bytes) == (1, 5)
    assert look_at(photos) == before
    change(photos)
    assert look_at(photos).digest != before.digest


def test_a_file_is_seen_through_a_linked_folder(photos: Path):
    linked = photos / "Picea abies"
    linked.symlink_to(photos.parent / "elsewhere")
    before = look_at(photos)
    (photos.parent / "elsewhere/1.jpg").touch()
    assert look_at(photos).digest != before.digest


def test_what_sources_do_not_read_and_links_in_a_circle_are_left_out(photos: Path, monkeypatch):
    before = look_at(photos)
    (photos / ".DS_Store").touch()
    (photos / "Abies alba/all").symlink_to(photos)
    (photos / "Abies alba/gone").symlink_to(photos / "nowhere")
    project = photos / "project"
    project.mkdir()
    (project / "params.yaml").touch()
    monkeypatch.chdir(project)
    assert look_at(photos) == before


def test_nothing_is_a_look_too(tmp_path: Path):
    assert look_at(tmp_path / "absent").digest == "absent"
    assert look_at(tmp_path / "a\0b").digest == "absent"


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (["data"], ["data/linked"]),
        (["data/a", "data/x.jsonl"], []),
        (["data/../own", "/abs/own"], ["data/../own", "/abs/own"]),
        (["data-2"], ["data-2"]),
        (["own", "own/table.csv", "own"], ["own"]),
        (["data/linked"], ["data/linked"]),
        (["data/linked/deeper"], ["data/linked/deeper"]),
        (["own/photos.tar/train"], ["own/photos.tar"]),
        (["data/link.tar"], []),
    ],
)
def test_which_paths_dvc_does_not_see(tmp_path: Path, monkeypatch, named: list[str], found: list[str]):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/a").mkdir(parents=True)
    (tmp_path / "own/deeper").mkdir(parents=True)
    (tmp_path / "own/photos.tar").touch()
    (tmp_path / "data/linked").symlink_to("../own")
    # DVC links files to its cache.
    (tmp_path / "data/link.tar").symlink_to("../own/photos.tar")
    assert [str(path) for path in outside(map(Path, named), Path("data"))] == found


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ({"kind": "folders", "roots": ["/a", "b.tar"], "pattern": None}, ["/a", "b.tar"]),
        (OBSERVATIONS | {"path": "tables/x.csv"}, ["tables/x.csv", "tables"]),
        (OBSERVATIONS | {"path": "../x.csv", "root": "/photos"}, ["../x.csv", "/photos"]),
        (OBSERVATIONS | {"path": "x.csv"}, ["x.csv"]),
        ({"kind": "urls", "path": "../urls.txt"}, ["../urls.txt"]),
        ({"kind": "urls", "path": "https://example.org/urls.txt"}, []),
        ({"kind": "inat2017", "path": "/set/train.json", "photos": "images", "given_split": None},
         ["/set/train.json", "/set/images"]),
        ({"kind": "inat2017", "path": "/set/train.json", "photos": "https://example.org", "given_split": None},
         ["/set/train.json"]),
        ({"kind": "sql", "url": "sqlite:////var/plants.db", "query": "SELECT 1 ORDER BY 1", "root": None,
          "columns": OBSERVATIONS["columns"], "batch_size": 1}, ["/var/plants.db"]),
        ({"kind": "sql", "url": "postgresql://reader@host/plants", "query": "SELECT 1 ORDER BY 1", "root": "/photos",
          "columns": OBSERVATIONS["columns"], "batch_size": 1}, ["/photos"]),
    ],
)  # fmt: skip
def test_what_sources_name(source: dict[str, Any], paths: list[str]):
    section = TypeAdapter(AnySource).validate_python(source | {"fill": NO_FILL})
    assert [str(path) for path in named_paths({"own": section})] == paths


def test_looks_are_written_when_they_differ(photos: Path, tmp_path: Path):
    file = tmp_path / "outside/sources.yaml"
    write_looks([], file)
    assert yaml.safe_load(file.read_text(encoding="utf-8")) == {"watched": [], "sources": {}}
    looks = write_looks([photos], file)
    written = file.stat().st_mtime_ns
    assert yaml.safe_load(file.read_text(encoding="utf-8"))["watched"] == ["sources"]
    assert look_again(file) == looks
    assert file.stat().st_mtime_ns == written
    (photos / "more.jpg").touch()
    assert look_again(file) == {str(photos): look_at(photos)} != looks


@pytest.mark.parametrize("content", ["", "sources: 3", "a: b: c", "\x00"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str):
    file = tmp_path / "sources.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"sources\.yaml"):
        look_again(file)


def test_the_committed_file_watches_nothing(tmp_path: Path):
    file = tmp_path / "sources.yaml"
    write_looks([], file)
    assert file.read_bytes() == (Path(__file__).parents[2] / "outside/sources.yaml").read_bytes()
