"""Archives that a stranger made to cost us memory, disk or time, or to show us what is not theirs."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fieldguide.catalogue.schema import Status
from fieldguide.fetch import archives
from fieldguide.fetch.local import read_unsent
from fieldguide.fetch.outcomes import Outcome

LIMIT = 10**6
SECRET = b"another's"


def read(archive: Path, member: str) -> Outcome:
    scheme = "zip" if archive.suffix == ".zip" else "tar"
    return read_unsent(f"{scheme}://{member}::{archive}", str(archive.parent), LIMIT)


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE, pax: dict[str, str] | None = None) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.type, entry.pax_headers = size, kind, pax or {}
    return entry.tobuf(tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT)


def block(content: bytes) -> bytes:
    return content + bytes(-len(content) % tarfile.BLOCKSIZE)


def gnu_sparse(real_size: int) -> bytes:
    """A member of one stored block that claims to be `real_size` bytes."""
    content = bytearray(header("sparse.jpg", 512, tarfile.GNUTYPE_SPARSE))
    content[386:398], content[398:410] = b"00000000000\0", b"00000001000\0"
    content[483:495] = f"{real_size:011o}\0".encode()
    content[148:156] = b" " * 8
    content[148:156] = f"{sum(content):06o}\0 ".encode()
    return bytes(content) + bytes(512)


def pax_sparse(real_size: int) -> bytes:
    pax = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.size": str(real_size)}
    return header("sparse.jpg", 512, pax=pax | {"GNU.sparse.map": "0,512"}) + bytes(512)


@pytest.mark.parametrize("sparse", [gnu_sparse, pax_sparse])
def test_a_sparse_member_does_not_show_what_follows_it(tmp_path: Path, sparse: Callable[[int], bytes]) -> None:
    archive = tmp_path / "p.tar"
    archive.write_bytes(sparse(2048) + header("private.jpg", len(SECRET)) + block(SECRET) + bytes(1024))
    outcome = read(archive, "sparse.jpg")
    assert (outcome.status, outcome.content) == (Status.READ_ERROR, None)
    assert "sparse" in (outcome.error or "")
    assert read(archive, "private.jpg").content == SECRET


def test_a_header_that_leads_backwards_ends(tmp_path: Path) -> None:
    content = bytearray(header("1.jpg", 0))
    content[124:136] = b"\xff" * 11 + b"\x00"  # -256 in base 256: the block before this one
    content[148:156] = b" " * 8
    content[148:156] = f"{sum(content):06o}\0 ".encode()
    archive = tmp_path / "p.tar"
    archive.write_bytes(bytes(content) + bytes(2048))
    assert read(archive, "1.jpg").status is Status.READ_ERROR


def test_what_unpacks_to_many_times_its_size_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE_BYTES", 10**5)
    photo = io.BytesIO()
    with tarfile.open(fileobj=photo, mode="w") as tar:
        entry = tarfile.TarInfo("1.jpg")
        entry.size = 10**7
        tar.addfile(entry, io.BytesIO(bytes(10**7)))
    archive = tmp_path / "p.tar.gz"
    archive.write_bytes(gzip.compress(photo.getvalue()))
    outcome = read(archive, "1.jpg")
    assert outcome.status is Status.READ_ERROR
    assert "unpacks to more than 20 times its size" in (outcome.error or "")


@pytest.mark.parametrize("name", ["p.tar", "p.tar.gz", "p.zip"])
def test_an_archive_that_cannot_be_opened_is_tried_once(tmp_path: Path, name: str) -> None:
    opener = archives._open_zip if name.endswith(".zip") else archives._open_tar
    opener.cache_clear()
    (tmp_path / name).write_bytes(b"no archive")
    outcomes = {read(tmp_path / name, f"{number}.jpg").status for number in range(5)}
    assert outcomes == {Status.READ_ERROR}
    assert (opener.cache_info().misses, opener.cache_info().hits) == (1, 4)


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
def test_a_damaged_member_of_any_method_is_a_read_error(tmp_path: Path, method: int) -> None:
    archive = tmp_path / "p.zip"
    with zipfile.ZipFile(archive, "w", method) as opened:
        opened.writestr("1.jpg", bytes(range(256)) * 40)
        start = opened.getinfo("1.jpg").header_offset + 30 + len("1.jpg")
    whole = archive.read_bytes()
    statuses = set()
    for offset in (0, 1, 2, 4, 5, 8, 9, 20):
        for value in (0x00, 0xFF):
            damaged = bytearray(whole)
            damaged[start + offset] = value
            archive.write_bytes(damaged)
            archives._open_zip.cache_clear()
            statuses.add(read(archive, "1.jpg").status)
    assert statuses <= {Status.READ_ERROR, Status.OK}
    assert Status.READ_ERROR in statuses


def test_a_damaged_header_is_not_the_end_of_the_archive(tmp_path: Path) -> None:
    archive = tmp_path / "p.tar"
    first = header("1.jpg", 3) + block(b"one")
    second = bytearray(header("2.jpg", 3) + block(b"two"))
    second[150] ^= 1
    archive.write_bytes(first + bytes(second) + header("3.jpg", 5) + block(b"three") + bytes(1024))
    assert read(archive, "1.jpg").content == b"one"
    outcome = read(archive, "3.jpg")
    assert outcome.status is Status.READ_ERROR
    assert "the archive is damaged before '3.jpg': no header at byte 1024" in (outcome.error or "")
