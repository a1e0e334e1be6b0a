"""JPEGs taken apart: only pixels are left, and only whole pictures count as whole."""

import io

import numpy as np
import pytest
from PIL import Image

from fieldguide.images.jpeg import MAX_SCANS, MAX_SEGMENTS, take_apart_jpeg
from fieldguide.images.parts import CostlyError
from tests.images.forged import SECRET, segment, talkative, with_segments
from tests.images.pictures import blotches, encode

PHOTO = blotches(3)
PLAIN = encode(PHOTO)
EMPTY_SCAN = segment(0xDA, b"\1\1\0\1\x3f\0")


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize(
    ("content", "pure"),
    [
        (encode(PHOTO, progressive=True, comment=SECRET), encode(PHOTO, progressive=True)),
        (encode(PHOTO.convert("L"), comment=SECRET), encode(PHOTO.convert("L"))),
        (encode(PHOTO.convert("CMYK"), comment=SECRET), encode(PHOTO.convert("CMYK"))),
        (encode(PHOTO, keep_rgb=True, xmp=SECRET), encode(PHOTO, keep_rgb=True)),
        (talkative("JPEG", PHOTO), PLAIN),
        (PLAIN + bytes(10_000), PLAIN),
        (PLAIN + encode(blotches(4)), PLAIN),
        (with_segments(PLAIN, b"junk"), PLAIN),
        (with_segments(PLAIN, b"\xff\xff\xff"), PLAIN),
        (with_segments(PLAIN, segment(0xE2, b"MPF\0" + bytes(3))), PLAIN),
        (with_segments(PLAIN, segment(0xE1, b"Exif\0\0II*\0\x08")), PLAIN),
    ],
    ids=[
        *("progressive", "grey", "cmyk", "rgb", "talkative", "padded", "two-pictures", "junk", "fill", "damaged-mpf"),
        "damaged-exif",
    ],
)
def test_only_pixels_are_left(content: bytes, pure: bytes) -> None:
    parts = take_apart_jpeg(content)
    assert parts.is_ended
    assert take_apart_jpeg(parts.pixels).pixels == parts.pixels
    assert (pixels(parts.pixels) == pixels(pure)).all()
    assert SECRET[:18] not in parts.pixels
    assert len(parts.pixels) <= len(pure)


def test_a_plain_jpeg_is_its_pixels() -> None:
    assert take_apart_jpeg(PLAIN).pixels == PLAIN


def test_a_profile_of_several_pieces_is_put_together() -> None:
    profile = bytes(range(256)) * 600
    assert take_apart_jpeg(encode(PHOTO, icc_profile=profile)).profile == profile
    lost = encode(PHOTO, icc_profile=profile).replace(b"ICC_PROFILE\0\2", b"ICC_PROFILE\0\7")
    assert take_apart_jpeg(lost).profile is None


@pytest.mark.parametrize("cut", [3, 100, 300])
def test_what_has_no_scan_comes_back_whole(cut: int) -> None:
    assert take_apart_jpeg(PLAIN[:cut]).pixels == PLAIN[:cut]


def test_scans_are_counted() -> None:
    progressive = encode(PHOTO, progressive=True)
    num_scans = take_apart_jpeg(progressive).num_scans
    assert num_scans == 10
    bomb = progressive[:-2] + EMPTY_SCAN * 1000 + progressive[-2:]
    assert take_apart_jpeg(bomb).num_scans == MAX_SCANS + 1
    # Not those of a film behind the picture.
    assert take_apart_jpeg(progressive + EMPTY_SCAN * 1000).num_scans == num_scans


def test_a_file_of_nothing_but_segments_is_given_up() -> None:
    with pytest.raises(CostlyError):
        take_apart_jpeg(with_segments(PLAIN, segment(0xFE, b"") * MAX_SEGMENTS))


def test_a_depth_that_is_not_read_is_named() -> None:
    deep = PLAIN.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c", 1)
    assert take_apart_jpeg(deep).unsupported == "JPEG of 12 bits"
