"""Tars of ours and of others: which are whole, and what is said of those that are not."""

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import webdataset
from PIL import Image

from fieldguide.tar import TarShardWriter
from fieldguide.verify.findings import Damage, Seen
from fieldguide.verify.tar_shards import TarExpected, check_tar
from tests.records.making import make_photo

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


def encoded(kind: str, mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((32, 32)).convert(mode).save(stream, kind)
    return stream.getvalue()


def check(content: bytes, expected: TarExpected | None = None) -> Seen:
    return check_tar(io.BytesIO(content), expected or TarExpected())


def foreign(members: Mapping[str, bytes], kind: str = "gnu") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=FORMATS[kind]) as archive:
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size, header.uname = len(content), "bigdata"
            archive.addfile(header, io.BytesIO(content))
    return stream.getvalue()


def ours(tmp_path: Path, members: Mapping[str, bytes]) -> bytes:
    with TarShardWriter(tmp_path / "a.tar") as tar:
        for name, content in members.items():
            tar.add(name, content)
    return (tmp_path / "a.tar").read_bytes()


@pytest.mark.parametrize("kind", FORMATS)
def test_tars_of_others_are_checked_as_far_as_they_can_be(kind: str):
    long_name = "x/" + "n" * 120 + ".png" if kind != "ustar" else "n.png"
    members = {"a.jpg": encoded("JPEG"), "a.json": b"{}", "b.webp": encoded("WEBP"), long_name: encoded("PNG")}
    seen = check(foreign(members, kind))
    assert (seen.is_foreign, seen.num_photos) == (True, 3)
    assert seen.keys == [b"a", b"b", long_name.removesuffix(".png").encode()]


def test_what_webdataset_writes_is_whole(tmp_path: Path):
    with webdataset.TarWriter(str(tmp_path / "w.tar")) as writer:
        writer.write({"__key__": "one", "jpg": encoded("JPEG"), "json": {"label": 3}, "cls": 3})
    seen = check((tmp_path / "w.tar").read_bytes())
    assert (seen.is_foreign, seen.num_photos, seen.keys) == (True, 1, [b"one"])


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
def test_a_photo_that_does_not_decode(kind: str):
    photo = encoded(kind)
    with pytest.raises(Damage, match=r"'a.jpg' at byte \d+ does not decode: (truncated|unreadable)"):
        check(foreign({"a.jpg": photo[: len(photo) // 2]}))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda tar: tar[:-10240], r"is no tar header \(|without the two empty blocks"),
        (lambda tar: tar[:1800], "ends early"),
        (lambda tar: tar[:512] + b"\xff" + tar[513:], "is no tar header|does not decode|is not JSON"),
        (lambda tar: tar[:600], "at byte 512 is no tar header .truncated header"),
        (lambda tar: b"", "at byte 0 is no tar header"),
        (lambda tar: b"<html>", "at byte 0 is no tar header"),
    ],
)
def test_frames_of_others(change: Callable[[bytes], bytes], problem: str):
    with pytest.raises(Damage, match=problem):
        check(change(foreign({"a.json": json.dumps(["x" * 2000]).encode()})))


def test_a_repeated_name():
    twice = io.BytesIO()
    with tarfile.open(fileobj=twice, mode="w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("a.cls"))
    with pytest.raises(Damage, match=r"'a\.cls' is in it twice"):
        check(twice.getvalue())


def test_in_ours_every_byte_counts(tmp_path: Path):
    _, photo, _ = make_photo(3)
    whole = ours(tmp_path, {"a.jpg": photo, "a.json": b"{}", "b.bin": b"x" * 700})
    assert not check(whole).is_foreign
    for at in [*range(0, len(whole), 97), len(whole) - 1]:
        with pytest.raises(Damage):
            check(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        (TarExpected(num_samples=3), "has 2 samples, the manifest says 3"),
        (TarExpected(side=64), "is 32 x 32 px; expected 64 x 64 px, RGB"),
        (TarExpected(side=32), r"'b.png' at byte \d+ is 32 x 32 px, not RGB"),
        (TarExpected(num_samples=2), None),
    ],
)
def test_what_the_manifest_says(tmp_path: Path, expected: TarExpected, problem: str | None):
    whole = ours(tmp_path, {"a.jpg": encoded("JPEG"), "b.png": encoded("PNG", "L")})
    if problem is None:
        assert check(whole, expected).num_photos == 2
        return
    with pytest.raises(Damage, match=problem):
        check(whole, expected)


def test_originals_need_not_be_photos(tmp_path: Path):
    whole = ours(tmp_path, {"a.jpg": b"<html>"})
    assert check(whole, TarExpected(is_decoded=False)).num_photos == 0
    with pytest.raises(Damage, match="not_an_image"):
        check(whole)
