"""Each kind of file is what it is said to be."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from sample.encode import ENCODINGS, NEAR_DISTANCE, encode, fingerprint, take
from sample.plan import TROUBLES, Photo

SEED = 17


def content(encoding: str, plant: int = 3, copy: int = 0) -> bytes:
    encoded = encode(Photo(1, plant, 0, encoding, copy), SEED)
    assert encoded is not None
    return encoded


@pytest.mark.parametrize(
    ("encoding", "format_", "mode"),
    [
        ("plain", "JPEG", "RGB"),
        ("cmyk", "JPEG", "CMYK"),
        ("gray", "JPEG", "L"),
        ("palette", "PNG", "P"),
        ("gray16", "PNG", "I;16"),
        ("png_named_jpg", "PNG", "RGB"),
        ("near", "JPEG", "RGB"),
    ],
)
def test_usable_files_have_the_format_and_mode_they_are_named_for(encoding: str, format_: str, mode: str) -> None:
    with Image.open(io.BytesIO(content(encoding))) as image:
        image.load()
        assert (image.format, image.mode) == (format_, mode)
        assert min(image.size) >= 80


def test_16_bit_colour_is_16_bits_deep_and_the_same_picture() -> None:
    encoded = content("rgb16")
    assert encoded[24:26] == bytes((16, 2))  # bit depth and colour type in the PNG header
    with Image.open(io.BytesIO(encoded)) as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), np.asarray(take(Photo(1, 3, 0, "rgb16"), SEED)))


@pytest.mark.parametrize("plant", range(9, 18))
def test_rotated_files_come_upright_by_their_exif_orientation(plant: int) -> None:
    upright = np.asarray(take(Photo(1, plant, 0, "exif"), SEED), np.float32)
    with Image.open(io.BytesIO(content("exif", plant))) as image:
        assert image.getexif()[0x0112] > 1
        turned = np.asarray(ImageOps.exif_transpose(image), np.float32)
    assert turned.shape == upright.shape
    assert np.abs(turned - upright).mean() < 8


def test_broken_files_fail_as_they_should() -> None:
    assert encode(Photo(1, 3, 0, "missing"), SEED) is None
    assert content("empty") == b""
    assert content("html").startswith(b"<!DOCTYPE html>")
    with Image.open(io.BytesIO(content("truncated"))) as image, pytest.raises(OSError, match="truncated"):
        image.load()
    with Image.open(io.BytesIO(content("unreadable"))) as image, pytest.raises(OSError, match="unrecognized data"):
        image.load()
    with Image.open(io.BytesIO(content("too_small"))) as image:
        assert min(image.size) < 32


def test_the_bomb_is_small_on_disk_and_huge_in_its_header() -> None:
    bomb = content("bomb")
    width, height = (int.from_bytes(bomb[start : start + 4], "big") for start in (16, 20))
    assert width * height > 100_000_000
    assert len(bomb) < 50_000


@pytest.mark.parametrize("copy", [1, 2, 3])
def test_near_duplicates_differ_in_bytes_and_hardly_in_fingerprint(copy: int) -> None:
    original, altered = content("plain"), content("near", copy=copy)
    assert altered != original
    with Image.open(io.BytesIO(original)) as one, Image.open(io.BytesIO(altered)) as other:
        assert np.count_nonzero(fingerprint(one) != fingerprint(other)) <= NEAR_DISTANCE


def test_every_planted_trouble_has_an_encoder() -> None:
    assert set(TROUBLES) - {"untidy_label"} <= set(ENCODINGS) | {"missing", "empty", "html", "bomb"}
