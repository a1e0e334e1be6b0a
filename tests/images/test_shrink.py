"""Large photos become small upright JPEGs; everything else stays as it came."""

import io

import pytest
from PIL import Image

from fieldguide.images.decode import EXIF_ORIENTATION
from fieldguide.images.shrink import shrink
from tests.images.pictures import blotches, encode


@pytest.mark.parametrize(
    ("size", "expected"), [((900, 300), (100, 33)), ((300, 900), (33, 100)), ((4000, 10), (100, 1))]
)
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_large_photo_is_shrunk(size: tuple[int, int], expected: tuple[int, int], form: str) -> None:
    stream = io.BytesIO()
    blotches(1, *size).save(stream, form)
    with Image.open(io.BytesIO(shrink(stream.getvalue(), 100))) as small:
        assert (small.format, small.mode) == ("JPEG", "RGB")
        assert small.size == pytest.approx(expected, abs=1)


def test_it_comes_upright() -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    stream = io.BytesIO()
    blotches(1, 400, 200).save(stream, "JPEG", exif=exif)
    with Image.open(io.BytesIO(shrink(stream.getvalue(), 100))) as small:
        assert small.size == (50, 100)
        assert small.getexif().get(EXIF_ORIENTATION) is None


GOOD = encode(blotches(1, 400, 200))


@pytest.mark.parametrize(
    "content",
    [encode(blotches(1, 100, 80)), GOOD[: len(GOOD) // 2], b"", b"<html>", GOOD[:200] + bytes(20) + GOOD[220:300]],
)
def test_what_is_small_or_broken_stays_as_it_came(content: bytes) -> None:
    assert shrink(content, 100) == content
