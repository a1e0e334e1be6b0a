"""What is in an archive, and that a damaged one says so instead of ending early."""

import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fieldguide.catalogue.sources.archives import archive_ending, list_members
from fieldguide.errors import CatalogueError

NAMES = [f"Aster/{number}.jpg" for number in range(9)]


def write_tar(path: Path, mode: str = "w", format: int = tarfile.GNU_FORMAT) -> Path:
    with tarfile.open(path, mode, format=format) as archive:  # type: ignore[call-overload]
        for name in NAMES:
            entry = tarfile.TarInfo(name)
            entry.size = 700
            archive.addfile(entry, io.BytesIO(bytes(700)))
    return path


@pytest.mark.parametrize(
    ("name", "scheme"), [("a.tar", "tar"), ("a.TGZ", "tar"), ("a.tar.gz", "tar"), ("a.zip", "zip"), ("a.gz", None)]
)
def test_archive_ending(name: str, scheme: str | None) -> None:
    assert archive_ending(Path(name)) == scheme


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_members(tmp_path: Path, mode: str, format: int) -> None:
    assert list_members(write_tar(tmp_path / "a.tar", mode, format), "tar") == NAMES


@pytest.mark.parametrize("damage", [slice(1536 * 4, 1536 * 4 + 512), slice(1536 * 4 + 148, 1536 * 4 + 156)])
def test_a_damaged_header_is_not_the_end(tmp_path: Path, damage: slice) -> None:
    content = bytearray(write_tar(tmp_path / "a.tar").read_bytes())
    content[damage] = b"\xff" * (damage.stop - damage.start)
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(CatalogueError, match=r"a\.tar, after member 'Aster/3\.jpg', cannot be read: no header at byte"):
        list_members(tmp_path / "a.tar", "tar")


@pytest.mark.parametrize("length", [1536 * 4 + 100, 1536 * 4 + 600])
def test_a_cut_tar_is_not_the_end(tmp_path: Path, length: int) -> None:
    path = write_tar(tmp_path / "a.tar")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CatalogueError, match=r"a\.tar, after member 'Aster/\d\.jpg', cannot be read"):
        list_members(path, "tar")


def _cut_gzip(path: Path) -> None:
    content = write_tar(path, "w:gz").read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _damaged_xz(path: Path) -> None:
    content = bytearray(lzma.compress(write_tar(path).read_bytes()))
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def _zip_without_directory(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Aster/1.jpg", b"x" * 5000)
    path.write_bytes(path.read_bytes()[:4000])


@pytest.mark.parametrize(
    ("name", "make"),
    [("a.tar.gz", _cut_gzip), ("a.tar", _damaged_xz), ("a.zip", _zip_without_directory), ("a.zip", Path.mkdir)],
)
def test_a_damaged_archive_is_one_line(tmp_path: Path, name: str, make: Callable[[Path], None]) -> None:
    make(tmp_path / name)
    with pytest.raises(CatalogueError, match=rf"{name}.* cannot be read") as caught:
        list_members(tmp_path / name, archive_ending(Path(name)) or "")
    assert "\n" not in str(caught.value)


def test_a_bomb_is_refused_by_its_headers(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("Aster/1.jpg")
        entry.size = 2**27
        archive.addfile(entry, io.BytesIO(bytes(2**27)))
    with pytest.raises(CatalogueError, match=r"a\.tar\.gz: member 'Aster/1\.jpg' ends at byte \d+; expected at most"):
        list_members(tmp_path / "a.tar.gz", "tar")
