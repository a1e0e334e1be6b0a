"""Links are followed, each real folder is read once, and what is left out is counted."""

from pathlib import Path

import pytest

from fieldguide.catalogue.sources.left_out import LeftOut
from fieldguide.catalogue.sources.walking import walk_photos, why_no_photo


def plant(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo")


def walk(root: Path) -> tuple[list[str], str]:
    left_out = LeftOut()
    return list(walk_photos(root, left_out)), str(left_out)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Aster alpinus/1.jpg", None),
        ("×Cupressocyparis/1.JPEG", None),
        ("_other/1.png", None),
        ("1.avif", None),
        (".ipynb_checkpoints/1.jpg", "file in a hidden or system folder"),
        ("Aster/@eaDir/1.jpg", "file in a hidden or system folder"),
        ("__MACOSX/Aster/1.jpg", "file in a hidden or system folder"),
        ("$RECYCLE.BIN/1.jpg", "file in a hidden or system folder"),
        ("#recycle/1.jpg", "file in a hidden or system folder"),
        ("System Volume Information/1.jpg", "file in a hidden or system folder"),
        ("../1.jpg", "file in a hidden or system folder"),
        ("Aster/._1.jpg", "hidden file"),
        ("Aster/1", "file without an ending"),
        ("Aster/1.HEIC", "file that ends in .heic"),
        ("Aster/\udcff.jpg", "file whose name is not UTF-8"),
    ],
)
def test_why_no_photo(path: str, reason: str | None) -> None:
    assert why_no_photo(path) == reason


def test_links_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    root, disk = tmp_path / "tree", tmp_path / "disk2"
    plant(root / "Daucus/1.jpg", disk / "Bellis/2.jpg", disk / "Bellis/more/3.jpg")
    (root / "Aster").symlink_to(disk / "Bellis")
    (root / "Daucus/4.jpg").symlink_to(disk / "Bellis/2.jpg")
    assert walk(root) == (["Daucus/1.jpg", "Daucus/4.jpg", "Aster/2.jpg", "Aster/more/3.jpg"], "")
    assert walk(root / "Aster")[0] == ["2.jpg", "more/3.jpg"], "a root may be a link itself"


def test_each_real_folder_is_read_once(tmp_path: Path) -> None:
    root, disk = tmp_path / "tree", tmp_path / "disk2"
    plant(root / "Bellis/1.jpg", disk / "x/2.jpg", disk / "y/3.jpg")
    (root / "Aster").symlink_to("Bellis")
    (root / "Bellis/again").symlink_to(root)
    (root / "Bellis/around").symlink_to(tmp_path)
    (root / "first").symlink_to(disk / "x")
    (root / "second").symlink_to(disk / "x")
    (disk / "x/beside").symlink_to(disk / "y")
    (disk / "y/beside").symlink_to(disk / "x")
    (root / "whole").symlink_to(disk)
    photos, left_out = walk(root)
    assert photos == ["Bellis/1.jpg", "first/2.jpg", "whole/y/3.jpg"]
    assert "5 x folder that was read already" in left_out
    assert "2 x link to a folder around its own" in left_out


def test_what_is_no_file_is_counted(tmp_path: Path) -> None:
    plant(tmp_path / "Aster/1.jpg", tmp_path / "@eaDir/a/1.jpg", tmp_path / "@eaDir/a/2.jpg")
    (tmp_path / "Aster/2.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "Aster/loop").symlink_to(tmp_path / "Aster/loop")
    photos, left_out = walk(tmp_path)
    assert photos == ["Aster/1.jpg"]
    assert "2 x file in a hidden or system folder" in left_out
    assert "2 x broken link" in left_out
