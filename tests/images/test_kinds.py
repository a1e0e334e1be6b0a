"""Files are named for what they are."""

import pytest

from fieldguide.images.kinds import HEAD_BYTES, find_kind
from tests.images.pictures import blotches, encode

PHOTO = blotches(1, 32, 32)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_what_is_read(kind: str) -> None:
    found = find_kind(encode(PHOTO, kind))
    assert found is not None
    assert (found.name, found.is_read) == (kind, True)


@pytest.mark.parametrize(
    ("content", "name", "is_image"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC", True),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1miafheic", "HEIC", True),
        (encode(PHOTO, "JPEG2000"), "JPEG 2000", True),
        (encode(PHOTO, "ICO"), "icon", True),
        (encode(PHOTO, "PDF"), "PDF", True),
        (encode(PHOTO, "PPM"), "Netpbm", True),
        (b"\xff\x0a\x7f\xff", "JPEG XL", True),
        (b"II*\0\x10\0\0\0CR\2\0", "camera raw (CR2)", True),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "camera raw (CR3)", True),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG", True),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<svg>', "SVG", True),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "video", False),
        (b"\n<!DOCTYPE html><title>Sorry</title>", "HTML", False),
        (b'{"error": "not found"}', "JSON", False),
        (b"PK\x03\x04", "zip", False),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer", False),
    ],
)
def test_what_is_not(content: bytes, name: str, is_image: bool) -> None:
    found = find_kind(content)
    assert found is not None
    assert (found.name, found.is_image, found.is_read) == (name, is_image, False)


@pytest.mark.parametrize(
    "content", [b"", b" " * 10 * HEAD_BYTES, b"BMW owners meet on Sunday", b"\xff\xd8\xff" + bytes(40)]
)
def test_what_has_no_name(content: bytes) -> None:
    assert find_kind(content) is None
