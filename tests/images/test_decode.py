"""What bytes are: every flaw and every oddity that real collections hold, made with the real encoders."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fieldguide.images.decode import EXIF_ORIENTATION, Flaw, inspect, load_rgb, upright_rgb
from tests.images.pictures import encode


def picture(width: int = 80, height: int = 60) -> Image.Image:
    """A smooth picture whose left is red and whose top is dark."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return Image.fromarray(np.stack([255 * (1 - x) * y, 120 * y, 255 * x * y], axis=-1).astype(np.uint8))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


JPEG = encode(picture())
PNG = encode(picture(), "PNG")


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
    ],
)
def test_inspect(content: bytes, flaw: Flaw | None) -> None:
    found = inspect(content, min_side=32, max_pixels=1_000_000)
    assert found.flaw == flaw
    assert (found.image is None) == (flaw is not None)
    if found.image is not None:
        assert (found.image.mode, found.image.size) == ("RGB", (80, 60))


@given(st.data())
def test_a_damaged_photo_is_a_flaw_never_an_exception(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([JPEG, PNG, encode(picture(), "WEBP"), encode(picture(), "TIFF")])))
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    found = inspect(cut, min_side=8, max_pixels=1_000_000)
    assert (found.flaw is None) == (found.image is not None)


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
    assert found.image.size == ((60, 80) if orientation > 4 else (80, 60))
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
