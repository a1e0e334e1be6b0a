import tarfile
import zipfile
from pathlib import Path

import pytest

from fieldguide.errors import CatalogueError
from fieldguide.survey.trees import Tree, read_tree

FILES = (
    *("Aster alpinus/1.jpg", "Aster alpinus/2.PNG", "Bellis/sub/1.jpeg", "Aster alpinus/.1.jpg"),
    *("labels.csv", "more/rows.jsonl.gz", "Aster alpinus/notes.txt", "raw/1.HEIC", "raw/2.heic", "README"),
)


def expected(root: Path, *empty: str) -> Tree:
    return Tree(
        root,
        photos=("Aster alpinus/1.jpg", "Aster alpinus/2.PNG", "Bellis/sub/1.jpeg"),
        others={"": (1, "README"), ".heic": (2, "raw/1.HEIC"), ".txt": (1, "Aster alpinus/notes.txt")},
        empty_folders=empty,
        tables=("labels.csv", "more/rows.jsonl.gz"),
    )


def plant(root: Path) -> Path:
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    (root / "none" / "at all").mkdir(parents=True)
    return root


def test_a_folder_is_sorted_into_photos_tables_and_the_rest(tmp_path: Path):
    root = plant(tmp_path / "photos")
    assert read_tree(root) == expected(root, "more", "none", "raw")


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "zip"])
def test_an_archive_is_a_tree_too(tmp_path: Path, ending: str):
    root, archive = plant(tmp_path / "photos"), tmp_path / f"photos.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(archive, "w") as packed:
            for name in FILES:
                packed.write(root / name, name)
    else:
        with tarfile.open(archive, "w:gz" if ending == "tar.gz" else "w") as packed_tar:
            packed_tar.add(root, ".")
    assert read_tree(archive) == expected(archive)


def test_what_is_neither_is_refused(tmp_path: Path):
    (tmp_path / "photos.rar").write_bytes(b"x")
    with pytest.raises(CatalogueError, match=r"photos\.rar is not a folder, \.tar, \.tar\.gz or \.zip"):
        read_tree(tmp_path / "photos.rar")
