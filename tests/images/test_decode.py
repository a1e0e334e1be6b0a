"""What bytes are: every flaw and every oddity that real collections hold, made with the real encoders."""

import io
import struct
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fieldguide.errors import PhotoError
from fieldguide.images import opening
from fieldguide.images.decode import EXIF_ORIENTATION, Flaw, inspect, load_rgb, upright_rgb
from fieldguide.images.turning import TURNS
from tests.images.forged import chunk, oriented, segment, talkative, tiff_header
from tests.images.pictures import blotches, encode
from tests.images.profiles import P3


def picture(width: int = 80, height: int = 60) -> Image.Image:
    """A smooth picture whose left is red and whose top is dark."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return Image.fromarray(np.stack([255 * (1 - x) * y, 120 * y, 255 * x * y], axis=-1).astype(np.uint8))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


JPEG = encode(picture())
PNG = encode(picture(), "PNG")
SCAN = segment(0xDA, b"\1\1\0\1\x3f\0")
"""Of a JPEG, without data."""


@pytest.mark.parametrize(
    ("content", "flaw"),
    [
        pytest.param(b"", Flaw.EMPTY, id="empty"),
        pytest.param(b"<!DOCTYPE html><html><body>Not found</body></html>", Flaw.NOT_AN_IMAGE, id="html"),
        pytest.param(b"\xff\xd8\xff" + b"\0" * 40, Flaw.NOT_AN_IMAGE, id="jpeg-magic-only"),
        pytest.param(JPEG[: len(JPEG) // 2], Flaw.TRUNCATED, id="half-jpeg"),
        pytest.param(PNG[: len(PNG) // 2], Flaw.TRUNCATED, id="half-png"),
        pytest.param(png_header(30_000, 30_000), Flaw.BOMB, id="bomb"),
        pytest.param(encode(picture(80, 31)), Flaw.TOO_SMALL, id="thin"),
        pytest.param(JPEG, None, id="jpeg"),
        pytest.param(PNG, None, id="png"),
        pytest.param(encode(picture(), "WEBP"), None, id="webp"),
        pytest.param(encode(picture(), "TIFF"), None, id="tiff"),
        pytest.param(encode(picture().convert("CMYK")), None, id="cmyk"),
        pytest.param(encode(picture().convert("P"), "PNG"), None, id="palette"),
        pytest.param(encode(picture().convert("L")), None, id="grey"),
        pytest.param(encode(picture(), "AVIF"), None, id="avif"),
        pytest.param(encode(picture(), "GIF"), None, id="gif"),
        pytest.param(encode(picture(), "BMP"), None, id="bmp"),
        pytest.param(encode(picture(), "MPO", save_all=True, append_images=[picture()]), None, id="mpo"),
        pytest.param(encode(picture(), "WEBP", save_all=True, append_images=[picture()]), None, id="animated"),
        pytest.param(encode(picture(), "TIFF", save_all=True, append_images=[picture()]), None, id="two-pages"),
        pytest.param(encode(picture(), "TIFF", compression="jpeg"), None, id="jpeg-tiff"),
        pytest.param(encode(picture().convert("YCbCr"), "TIFF"), None, id="ycbcr-tiff"),
        pytest.param(encode(picture(), "JPEG2000"), Flaw.UNSUPPORTED, id="jpeg-2000"),
        pytest.param(b"\0\0\0\x18ftypheic" + bytes(99), Flaw.UNSUPPORTED, id="heic"),
        pytest.param(JPEG.replace(b"\x11\x08\0\x3c", b"\x11\x0c\0\x3c"), Flaw.UNSUPPORTED, id="twelve-bits"),
        pytest.param(tiff_header(2**32 - 1, 1), Flaw.BOMB, id="wide-tiff"),
        pytest.param(tiff_header(64, 2**32 - 1), Flaw.BOMB, id="high-tiff"),
        pytest.param(tiff_header(2**31, 2**31), Flaw.BOMB, id="vast-tiff"),
        pytest.param(JPEG[:-2] + SCAN * 5000 + JPEG[-2:], Flaw.COSTLY, id="scans"),
        pytest.param(JPEG[:-2], None, id="no-end-marker"),
    ],
)
def test_inspect(content: bytes, flaw: Flaw | None) -> None:
    found = inspect(content, min_side=32, max_pixels=1_000_000)
    assert found.flaw == flaw
    assert (found.image is None) == (flaw is not None)
    if found.image is not None:
        assert (found.image.mode, found.image.size) == ("RGB", (80, 60))


PHOTOS = [encode(picture(), kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")]
PHOTOS += [encode(picture(), "JPEG", progressive=True, icc_profile=P3), encode(picture(), "PNG", icc_profile=P3)]
PHOTOS += [encode(picture().convert("I;16"), "TIFF"), encode(picture(), "TIFF", compression="tiff_lzw")]


@given(st.data())
def test_a_damaged_photo_is_a_flaw_never_an_exception(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(PHOTOS)))
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    found = inspect(cut, min_side=8, max_pixels=1_000_000)
    assert (found.flaw is None) == (found.image is not None)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<html>", "HTML"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "HEIC"),
        (encode(picture(), "PDF"), "PDF"),
        (PNG[:20], "PNG"),
        (tiff_header(2**32 - 1, 1), "TIFF"),
        (b"nonsense", None),
    ],
)
def test_what_is_refused_is_named(content: bytes, name: str | None) -> None:
    found = inspect(content, min_side=8, max_pixels=1_000_000)
    assert found.flaw is not None
    assert found.format == name


@pytest.mark.parametrize("width", [2**31, 2**32 - 1])
def test_no_number_is_told_that_a_table_cannot_hold(width: int) -> None:
    found = inspect(tiff_header(width, 1), min_side=8, max_pixels=2**40)
    assert (found.flaw, found.width, found.height) == (Flaw.BOMB, None, None)


@pytest.mark.parametrize(
    ("value", "kind"), [(0, 3), (9, 3), (2**32 - 1, 4), (2**31, 9), (0x3F800000, 11), (7, 2), (1, 5), (6, 12)]
)
def test_an_orientation_without_meaning_is_none(value: int, kind: int) -> None:
    found = inspect(oriented(JPEG, value, kind), min_side=8, max_pixels=1_000_000)
    assert (found.flaw, found.exif_orientation) == (None, None)


@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("tail", [b"", bytes(500)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100}, {"restart_marker_blocks": 2}])
def test_a_jpeg_that_lacks_only_its_end_marker(cut: int, tail: bytes, options: dict[str, Any]) -> None:
    whole = encode(blotches(2), **options)
    found = inspect(whole[:-cut] + tail, min_side=8, max_pixels=1_000_000)
    assert found.image == inspect(whole, min_side=8, max_pixels=1_000_000).image
    assert load_rgb(whole[:-cut] + tail, shorter_side=20)[0] == load_rgb(whole, shorter_side=20)[0]


@pytest.mark.parametrize("cut", [4, 6, 10, 50, 500])
@pytest.mark.parametrize("tail", [b"", bytes(5000)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100}, {"restart_marker_blocks": 2}])
def test_a_jpeg_that_lacks_more(cut: int, tail: bytes, options: dict[str, Any]) -> None:
    content = encode(blotches(2), **options)[:-cut] + tail
    assert inspect(content, min_side=8, max_pixels=1_000_000).flaw == Flaw.TRUNCATED
    with pytest.raises(PhotoError, match="truncated: The file ends"):
        load_rgb(content, shorter_side=20)


def test_a_jpeg_that_lacks_whole_scans() -> None:
    progressive = encode(blotches(2), progressive=True)
    last = progressive.rindex(b"\xff\xc4")
    assert inspect(progressive[:last], min_side=8, max_pixels=1_000_000).flaw == Flaw.TRUNCATED


@pytest.mark.parametrize(
    ("orientation", "compression"),
    [(0, "raw"), (3, "raw"), (6, "raw"), (65535, "raw"), (2, "tiff_lzw"), (8, "tiff_lzw")],
)
def test_a_tiff_is_turned_once(orientation: int, compression: str) -> None:
    stored = picture()
    content = encode(stored, "TIFF", compression=compression, tiffinfo={EXIF_ORIENTATION: orientation})
    found = inspect(content, min_side=32, max_pixels=1_000_000)
    upright = stored.transpose(TURNS[orientation]) if orientation in TURNS else stored
    assert found.image is not None
    assert (np.asarray(found.image) == np.asarray(upright)).all()
    assert (found.width, found.height) == (80, 60)
    assert load_rgb(content, shorter_side=32)[1] == found.image.size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "BMP"])
def test_nothing_but_pixels_is_left(kind: str) -> None:
    found = inspect(talkative(kind, blotches(2)), min_side=8, max_pixels=1_000_000)
    assert found.image is not None
    assert found.image.info == {}


def test_time_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MAX_SECONDS", -1.0)
    for content in PHOTOS:
        assert inspect(content, min_side=8, max_pixels=1_000_000).flaw == Flaw.COSTLY


def test_a_jpeg_of_endless_scans_within_a_tiff() -> None:
    whole = encode(picture(), progressive=True, subsampling=0)
    jpeg = whole[:-2] + SCAN * 5000 + whole[-2:]
    tiff = bytearray(encode(picture(), "TIFF", compression="jpeg"))
    (tags,) = struct.unpack_from("<I", tiff, 4)
    for at in range(tags + 2, tags + 2 + 12 * tiff[tags], 12):
        moved = {273: len(tiff), 279: len(jpeg)}.get(struct.unpack_from("<H", tiff, at)[0])
        if moved:
            struct.pack_into("<HII", tiff, at + 2, 4, 1, moved)
    assert inspect(bytes(tiff) + jpeg, min_side=8, max_pixels=1_000_000).flaw == Flaw.UNREADABLE


@pytest.mark.parametrize(("kind", "side", "allowed"), [("JPEG", 6000, 200e6), ("WEBP", 2500, 20e6)])
def test_a_machine_without_memory_is_no_flaw(kind: str, side: int, allowed: float) -> None:
    content = encode(Image.new("RGB", (side, side)), kind, **({"progressive": True} if kind == "JPEG" else {}))
    limited = (
        "import resource, sys\n"
        "from fieldguide.images.decode import inspect\n"
        "content = sys.stdin.buffer.read()\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]), -1))\n"
        "print(inspect(content, min_side=1, max_pixels=10**9).flaw)\n"
    )
    command = [sys.executable, "-c", limited, str(round(allowed))]
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    assert done.stdout == b""
    assert b"MemoryError" in done.stderr


def test_a_tag_of_the_wrong_type_is_a_flaw() -> None:
    tiff = bytearray(encode(picture(), "TIFF"))
    # The strip's offset as bytes instead of a number.
    tiff[72] = 7
    assert inspect(bytes(tiff), min_side=8, max_pixels=1_000_000).flaw == Flaw.UNREADABLE


def test_a_tiff_that_ends_within_its_tags_warns_nobody() -> None:
    tiff = bytearray(encode(picture(), "TIFF"))
    tiff[111], tiff[140] = 3, 0
    for end in range(8, 400):
        found = inspect(bytes(tiff[:end]), min_side=8, max_pixels=1_000_000)
        assert found.flaw in (Flaw.NOT_AN_IMAGE, Flaw.TRUNCATED, Flaw.UNREADABLE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    stored = picture()
    found = inspect(encode(stored, exif=exif, quality=95), min_side=32, max_pixels=1_000_000)
    assert found.exif_orientation == orientation
    assert found.image is not None
    upright = stored.transpose(TURNS[orientation]) if orientation in TURNS else stored
    assert found.image.size == upright.size
    assert np.abs(np.asarray(found.image, np.int16) - np.asarray(upright)).mean() < 3
    assert (found.width, found.height) == (80, 60)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    grey = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    image = upright_rgb(Image.open(io.BytesIO(encode(Image.fromarray(grey), "PNG"))))
    expected = np.round(grey / 257.0)
    assert np.abs(np.asarray(image)[..., 0] - expected).max() <= 1


def test_transparency_becomes_white() -> None:
    clear = Image.new("RGBA", (40, 40), (10, 20, 30, 0))
    assert upright_rgb(clear).getpixel((5, 5)) == (255, 255, 255)


def test_load_rgb_shrinks_large_jpegs_and_still_tells_their_size() -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    image, full = load_rgb(encode(picture(1600, 1200), exif=exif), shorter_side=224)
    assert full == (1200, 1600)
    assert 224 <= min(image.size) < 448
    assert image.height > image.width


def test_load_rgb_leaves_small_photos_whole() -> None:
    image, full = load_rgb(JPEG, shorter_side=224)
    assert image.size == full == (80, 60)
