"""Trees of photos, in folders and archives, become rows."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fieldguide.catalogue.sources import FoldersSource
from fieldguide.errors import CatalogueError

NO_FILL = {"region": None, "licence": None, "rights_holder": None}


def plant(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"photo")
    return root


def folders(*roots: Path, pattern: str | None = None) -> FoldersSource:
    return FoldersSource.model_validate({"kind": "folders", "roots": roots, "pattern": pattern, "fill": NO_FILL})


def test_folders_are_labels_and_roots_are_merged(tmp_path: Path) -> None:
    first = plant(tmp_path / "a", "Bellis perennis/1.JPG", "Aster alpinus/2.png", "Aster alpinus/1.webp")
    second = plant(tmp_path / "b", "Aster alpinus/2.png", "Aster alpinus/notes.txt", "Aster alpinus/._1.jpg")
    rows = list(folders(first, second).rows())
    assert [(row.id, row.label, row.url) for row in rows] == [
        ("Aster alpinus/1.webp", "Aster alpinus", f"file:{first}/Aster alpinus/1.webp"),
        ("Aster alpinus/2.png", "Aster alpinus", f"file:{first}/Aster alpinus/2.png"),
        ("Bellis perennis/1.JPG", "Bellis perennis", f"file:{first}/Bellis perennis/1.JPG"),
        ("1:Aster alpinus/2.png", "Aster alpinus", f"file:{second}/Aster alpinus/2.png"),
    ]
    assert [row.root for row in rows] == [str(first)] * 3 + [str(second)]


def test_a_pattern_names_catalogue_columns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = plant(tmp_path, "EU/Aster_alpinus/train_1.jpg", "EU/Aster_alpinus/test_2.jpg", "contact sheet.jpg")
    rows = folders(root, pattern=r"(?P<region>\w+)/(?P<label>\w+)/(?P<given_split>train|test)_.*").rows()
    assert [(row.region, row.label, row.given_split) for row in rows] == [
        ("EU", "Aster_alpinus", "test"),
        ("EU", "Aster_alpinus", "train"),
    ]
    assert "left out 1 files that do not match, as contact sheet.jpg" in caplog.text


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?P<species>.*)", "group 'species' is unknown; expected one of observation_id"),
        ("(", "not a regular expression"),
    ],
)
def test_a_wrong_pattern_is_refused_before_any_work(tmp_path: Path, pattern: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        folders(tmp_path, pattern=pattern)


@pytest.mark.parametrize(
    ("paths", "message"),
    [(["a.txt"], "no photo found"), (["a/b/c.jpg"], r"no photo found; 'a/b/c.jpg' does not match")],
)
def test_a_root_without_photos_is_an_error(tmp_path: Path, paths: list[str], message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        list(folders(plant(tmp_path, *paths)).rows())


def pack_tar(path: Path, names: list[str], mode: str) -> Path:
    with tarfile.open(path, mode) as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


def pack_zip(path: Path, names: list[str], mode: str) -> Path:
    with zipfile.ZipFile(path, mode) as archive:
        for name in names:
            archive.writestr(name, b"")
    return path


@pytest.mark.parametrize(
    ("name", "pack", "mode", "scheme"),
    [
        ("a.tar", pack_tar, "w", "tar"),
        ("a.tar.gz", pack_tar, "w:gz", "tar"),
        ("a.tgz", pack_tar, "w:gz", "tar"),
        ("a.zip", pack_zip, "w", "zip"),
    ],
)
def test_an_archive_is_a_tree_too(tmp_path: Path, name: str, pack: Any, mode: str, scheme: str) -> None:
    names = ["./Bellis perennis/2.jpg", "Aster alpinus/1.PNG", "Aster alpinus/notes.txt", "Aster alpinus/._1.png"]
    archive = pack(tmp_path / name, names, mode)
    assert [(row.id, row.label, row.url, row.root) for row in folders(archive).rows()] == [
        ("Aster alpinus/1.PNG", "Aster alpinus", f"{scheme}://Aster alpinus/1.PNG::{archive}", str(tmp_path)),
        ("Bellis perennis/2.jpg", "Bellis perennis", f"{scheme}://./Bellis perennis/2.jpg::{archive}", str(tmp_path)),
    ]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip"])
def test_a_broken_archive_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(CatalogueError, match=f"{name} cannot be read"):
        list(folders(tmp_path / name).rows())


def test_a_root_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="nowhere is not a folder"):
        list(folders(tmp_path / "nowhere").rows())


def test_a_file_name_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    plant(tmp_path, "a/1.jpg")
    (Path(str(tmp_path / "a")) / b"\xff.jpg".decode("utf-8", "surrogateescape")).write_bytes(b"")
    with pytest.raises(CatalogueError, match="is not UTF-8"):
        list(folders(tmp_path).rows())
