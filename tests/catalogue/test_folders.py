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
    assert "left out 1 x photo that does not match" in caplog.text
    assert "contact sheet.jpg" in caplog.text


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
    [
        ([], "no photo found$"),
        (["a.txt", "a/b.txt"], r"no photo found; left out 2 x file that ends in \.txt \(.*/a\.txt\)"),
        (["a/b/c.jpg"], r"no photo found; left out 1 x photo that does not match '.*' \(.*/a/b/c\.jpg\)"),
        ([".cache/a/1.jpg", "@eaDir/1.jpg"], r"no photo found; left out 2 x file in a hidden or system folder"),
    ],
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


def test_what_cannot_be_a_row_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plant(tmp_path, "a/train/1.jpg", "a/nowhere/2.jpg")
    (Path(str(tmp_path / "a")) / "train" / b"\xff.jpg".decode("utf-8", "surrogateescape")).write_bytes(b"")
    (row,) = folders(tmp_path, pattern="(?P<label>.+)/(?P<given_split>.+)/.*").rows()
    assert row.id == "a/train/1.jpg"
    assert "1 x file whose name is not UTF-8" in caplog.text
    assert "1 x bad row" in caplog.text
    assert "given_split: got 'nowhere'; expected one of train, val, test" in caplog.text


@pytest.mark.parametrize("pack", [plant, pack_tar, pack_zip])
def test_every_file_is_a_photo_or_counted(tmp_path: Path, pack: Any, caplog: pytest.LogCaptureFixture) -> None:
    endings = ["jpe", "JFIF", "mpo", "gif", "bmp", "avif", "tiff"]
    photos = [f"Aster/{number}.{ending}" for number, ending in enumerate(endings)]
    others = ["Aster/7", "Aster/8.heic", "Aster/.DS_Store", "__MACOSX/Aster/._0.jpg", "Aster/.ipynb_checkpoints/0.jpg"]
    root = tmp_path / {"plant": "tree", "pack_tar": "a.tar", "pack_zip": "a.zip"}[pack.__name__]
    if pack is plant:
        plant(root, *photos, *others)
    else:
        pack(root, [*photos, *others], "w")
    assert [row.id for row in folders(root).rows()] == photos
    for said in (
        "2 x file in a hidden or",
        "1 x file without an ending",
        r"1 x file that ends in .heic",
        "1 x hidden file",
    ):
        assert said in caplog.text


def test_a_zip_of_windows_has_folders_too(tmp_path: Path) -> None:
    content = pack_zip(tmp_path / "a.zip", ["Aster_alpinus/1.jpg"], "w").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(b"Aster_alpinus/1.jpg", b"Aster_alpinus\\1.jpg"))
    (row,) = folders(tmp_path / "a.zip").rows()
    assert (row.label, row.id) == ("Aster_alpinus", "Aster_alpinus/1.jpg")
    assert row.url == f"zip://Aster_alpinus\\1.jpg::{tmp_path}/a.zip"
