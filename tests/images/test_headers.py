"""Sizes from headers are those that Pillow finds, and what it refuses is refused."""

import io

import pytest
from PIL import Image

from fieldguide.errors import PhotoError
from fieldguide.images.headers import read_header, read_size

FORMATS = [("jpeg", {}), ("jpeg", {"progressive": True, "exif": b"Exif\0\0" + bytes(300)}), ("webp", {}), ("png", {})]


def encode(size: tuple[int, int], format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size).save(stream, format.upper(), **options)
    return stream.getvalue()


@pytest.mark.parametrize(("format", "options"), FORMATS)
def test_width_then_height(format: str, options: dict[str, object]):
    assert read_size(encode((40, 30), format, **options), format) == (40, 30)


@pytest.mark.parametrize(("format", "options"), FORMATS)
def test_a_header_decides_the_size(format: str, options: dict[str, object]):
    content = encode((40, 30), format, **options)
    header, size = read_header(content, format)
    assert content.startswith(header)
    assert size == (40, 30)
    if format == "jpeg":
        assert len(header) < len(content)
        assert read_header(header, format) == (header, size)
        assert not encode((40, 31), format, **options).startswith(header)


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (b"", "jpeg"),
        (b"<html>", "jpeg"),
        (b"\xff\xd8\xff", "jpeg"),
        (b"\xff\xd8\xff\xe0\xff\xff", "jpeg"),
        (encode((4, 4), "png"), "jpeg"),
        (encode((4, 4), "jpeg"), "png"),
    ],
)
def test_what_is_no_such_image_is_refused(content: bytes, format: str):
    with pytest.raises(PhotoError, match=f"^is not a {format.upper()}: "):
        read_size(content, format)
