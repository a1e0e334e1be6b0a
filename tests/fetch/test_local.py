import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from fieldguide.catalogue.schema import Status
from fieldguide.fetch.local import local_file, read_unsent

PHOTO = b"photo" * 100
LIMIT = 1000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A source's folder with a photo in every kind of place, links that its owner made, and a secret beside it."""
    root = tmp_path / "data"
    (root / "sub").mkdir(parents=True)
    (root / "1.jpg").write_bytes(PHOTO)
    (root / "empty.jpg").write_bytes(b"")
    (root / "large.jpg").write_bytes(bytes(LIMIT + 1))
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "link.jpg").symlink_to(root / "1.jpg")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "0123").write_bytes(PHOTO)
    (root / "cached.jpg").symlink_to(tmp_path / "cache" / "0123")
    (root / "linked").symlink_to(tmp_path / "cache")
    (tmp_path / "alias").symlink_to(root)
    (root / "dangling.jpg").symlink_to(root / "nothing")
    (root / "loop.jpg").symlink_to(root / "loop.jpg")
    os.mkfifo(root / "pipe.jpg")
    with tarfile.open(root / "p.tar", "w") as tar:
        for name, content in (("a/1.jpg", PHOTO), ("large.jpg", bytes(LIMIT + 1))):
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    (root / "p.tar.gz").write_bytes(gzip.compress((root / "p.tar").read_bytes()))
    (root / "cut.tar.gz").write_bytes((root / "p.tar.gz").read_bytes()[:-20])
    (root / "cut.tar").write_bytes((root / "p.tar").read_bytes()[:700])
    with zipfile.ZipFile(root / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.jpg", PHOTO)
        archive.writestr("bomb.jpg", bytes(10**6))
    (root / "broken.zip").write_bytes(b"PK but no more")
    return root


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("file:{root}/1.jpg", Status.OK),
        ("file:{root}/sub/../1.jpg", Status.OK),
        ("file:{root}/link.jpg", Status.OK),
        ("file:{root}/empty.jpg", Status.OK),
        ("file:{root}/nothing.jpg", Status.MISSING),
        ("file:{root}/dangling.jpg", Status.MISSING),
        ("file:{root}/1.jpg/2.jpg", Status.MISSING),
        ("file:{root}/large.jpg", Status.TOO_LARGE),
        ("file:{root}/sub", Status.READ_ERROR),
        ("file:{root}/pipe.jpg", Status.READ_ERROR),
        ("file:{root}/loop.jpg", Status.READ_ERROR),
        ("file:{root}/a\0b.jpg", Status.INVALID_URL),
        ("file:{root}/../secret", Status.REFUSED),
        ("file:{root}/../no-secret", Status.REFUSED),
        ("file:{root}/cached.jpg", Status.OK),
        ("file:{root}/linked/0123", Status.OK),
        ("file:{root}/linked/../1.jpg", Status.OK),
        ("file:{root}/linked/../secret", Status.MISSING),
        ("file:{root}/linked/../../secret", Status.REFUSED),
        ("file:{root}-other/1.jpg", Status.REFUSED),
        ("file:/etc/passwd", Status.REFUSED),
        ("tar://a/1.jpg::{root}/p.tar", Status.OK),
        ("tar://a/1.jpg::{root}/p.tar.gz", Status.OK),
        ("tar://a/2.jpg::{root}/p.tar.gz", Status.MISSING),
        ("tar://a/1.jpg::{root}/cut.tar.gz", Status.READ_ERROR),
        ("tar://a/2.jpg::{root}/p.tar", Status.MISSING),
        ("tar://link.jpg::{root}/p.tar", Status.MISSING),
        ("tar://large.jpg::{root}/p.tar", Status.TOO_LARGE),
        ("tar://a/1.jpg::{root}/nothing.tar", Status.MISSING),
        ("tar://a/1.jpg::{root}/cut.tar", Status.INCOMPLETE),
        ("tar://a/1.jpg::{root}/1.jpg", Status.READ_ERROR),
        ("tar://a/1.jpg::{root}/../secret", Status.REFUSED),
        ("zip://a/1.jpg::{root}/p.zip", Status.OK),
        ("zip://a/2.jpg::{root}/p.zip", Status.MISSING),
        ("zip://bomb.jpg::{root}/p.zip", Status.TOO_LARGE),
        ("zip://a/1.jpg::{root}/broken.zip", Status.READ_ERROR),
        ("zip://a/1.jpg::{root}/pipe.jpg", Status.READ_ERROR),
        ("tar://a/1.jpg::{root}/pipe.jpg", Status.READ_ERROR),
        ("zip://a/1.jpg::{root}/\0", Status.INVALID_URL),
        ("tar://1.jpg::tar://2.tar::{root}/p.tar", Status.REFUSED),
        ("tar://1.jpg::" * 3000 + "{root}/p.tar", Status.REFUSED),
        ("tar://1.jpg::https://example.org/p.tar", Status.REFUSED),
        ("zip://1.jpg::file:///etc/p.zip", Status.REFUSED),
        ("ftp://example.org/1.jpg", Status.REFUSED),
        ("memory://1.jpg", Status.REFUSED),
        ("local:///etc/passwd", Status.REFUSED),
    ],
)
def test_every_path_has_its_status(root: Path, url: str, status: Status) -> None:
    outcome = read_unsent(url.format(root=root), str(root), LIMIT)
    assert outcome.status is status
    assert (outcome.error is None) == (status is Status.OK)
    if status is Status.OK and "empty" not in url:
        assert outcome.content == PHOTO


def test_a_root_may_be_a_link_and_rows_may_say_where_it_leads(root: Path) -> None:
    alias = root.parent / "alias"
    for path in (alias / "1.jpg", root / "1.jpg"):
        assert read_unsent(f"file:{path}", str(alias), LIMIT).status is Status.OK
    assert read_unsent(f"file:{alias}/../secret", str(alias), LIMIT).status is Status.REFUSED


def test_names_on_disk_are_taken_as_they_are(root: Path) -> None:
    for name in (
        "Cafe\u0301.jpg",
        "Café.jpg",
        "IMG  1.jpg",
        "100%25.jpg",
        "a#b?.jpg",
        " .jpg",
        "12:30.jpg",
        "C:/1.jpg",
    ):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(name.encode())
        assert read_unsent(f"file:{root}/{name}", str(root), LIMIT).content == name.encode()


def test_without_a_root_there_are_no_paths(root: Path) -> None:
    assert read_unsent(f"file:{root}/1.jpg", None, LIMIT).status is Status.REFUSED


def test_an_archive_that_changes_is_read_anew(root: Path) -> None:
    url = f"tar://a/1.jpg::{root}/p.tar"
    assert read_unsent(url, str(root), LIMIT).status is Status.OK
    with tarfile.open(root / "p.tar", "w"):
        pass
    assert read_unsent(url, str(root), LIMIT).status is Status.MISSING


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("file:a/1.jpg", Path("a/1.jpg")),
        ("tar://1.jpg::data/p.tar", Path("data/p.tar")),
        ("http://a/1.jpg", None),
        ("s3://bucket/1.jpg", None),
    ],
)
def test_which_file_a_url_is_read_from(url: str, file: Path | None) -> None:
    assert local_file(url) == file
