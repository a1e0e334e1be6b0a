"""Photos become small upright JPEGs, with nothing beside their pixels; what is broken stays as it came."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from fieldguide.images.shrink import shrink
from tests.images.forged import SECRET, segment, talkative
from tests.images.pictures import blotches, encode
from tests.images.profiles import PHOTO, SWAPPED

KINDS = ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "BMP"]


@pytest.mark.parametrize(
    ("size", "expected"), [((900, 300), (100, 33)), ((300, 900), (33, 100)), ((4000, 10), (100, 1))]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_photo_is_shrunk(size: tuple[int, int], expected: tuple[int, int], kind: str) -> None:
    with Image.open(io.BytesIO(shrink(encode(blotches(1, *size), kind), 100))) as small:
        assert (small.format, small.mode) == ("JPEG", "RGB")
        assert small.size == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("size", [(400, 200), (80, 40)])
def test_it_comes_upright(size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(shrink(talkative("JPEG", blotches(1, *size), orientation=6), 100))) as small:
        assert small.size == ((50, 100) if size[0] > 100 else (40, 80))
        assert small.getexif().get(ExifTags.Base.Orientation) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(400, 200), (80, 40)])
def test_nothing_but_pixels_is_left(kind: str, size: tuple[int, int]) -> None:
    small = shrink(talkative(kind, blotches(1, *size)), 100)
    assert SECRET[:18] not in small
    with Image.open(io.BytesIO(small)) as image:
        assert not {"comment", "exif", "xmp", "icc_profile", "photoshop"} & image.info.keys()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_small_photo_keeps_its_pixels_as_they_are(kind: str) -> None:
    photo = blotches(1, 80, 40)
    assert shrink(talkative(kind, photo), 100) == shrink(encode(photo, kind), 100) == encode(photo, kind)


def test_a_profile_is_applied() -> None:
    with Image.open(io.BytesIO(shrink(encode(PHOTO, "PNG", icc_profile=SWAPPED), 100))) as small:
        moved = np.asarray(small, np.int16) - np.asarray(PHOTO)[..., [1, 0, 2]]
    assert np.abs(moved).mean() < 8


GOOD = encode(blotches(1, 400, 200))
SCANS = GOOD[:-2] + segment(0xDA, b"\1\1\0\1\x3f\0") * 1000 + GOOD[-2:]


@pytest.mark.parametrize(
    "content", [GOOD[: len(GOOD) // 2], b"", b"<html>", GOOD[:200] + bytes(20) + GOOD[220:300], SCANS]
)
def test_what_is_broken_stays_as_it_came(content: bytes) -> None:
    assert shrink(content, 100) == content
