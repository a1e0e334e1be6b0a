"""Decoding is Pillow's to the bit, whatever decodes; shrinking halves sides."""

import io

import numpy as np
import pytest
from PIL import Image

from fieldguide.records.pixels import choose_scale, decode, read_size

SMOOTH = Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)).resize((61, 43), 3)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 92}),
        ("JPEG", {"quality": 70, "subsampling": 0}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {"quality": 80}),
        ("PNG", {}),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_are_pillows(kind: str, options: dict[str, object], mode: str):
    content = encode(SMOOTH.convert(mode), kind, **options)
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert read_size(content) == (43, 61)
    assert np.array_equal(decode(content), expected)
    out = np.empty((43, 61, 3), np.uint8)
    assert np.array_equal(decode(content, out=out), expected)
    for shape in ((50, 61, 3), (20, 61, 3)):
        assert np.array_equal(decode(content, out=np.empty(shape, np.uint8)), expected)


def test_cmyk_which_no_record_holds_is_within_a_level():
    content = encode(SMOOTH.convert("CMYK"), "JPEG")
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), int)
    assert np.abs(decode(content) - expected).max() <= 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(("scale", "shape"), [(2, (22, 31, 3)), (4, (11, 16, 3)), (8, (6, 8, 3))])
def test_shrunk_pixels(kind: str, scale: int, shape: tuple[int, ...]):
    content = encode(SMOOTH, kind)
    shrunk = decode(content, scale=scale)
    assert shrunk.shape == shape
    expected = np.asarray(SMOOTH.reduce(scale), int)
    assert np.abs(shrunk - expected).mean() < 4


@pytest.mark.parametrize(
    ("height", "width", "side", "scale"),
    [(256, 256, 224, 1), (895, 900, 224, 1), (896, 896, 224, 2), (9000, 896, 224, 2), (4000, 4000, 224, 8)],
)
def test_the_part_stays_twice_as_large_as_it_is_wanted(height: int, width: int, side: int, scale: int):
    assert choose_scale(height, width, side) == scale


@pytest.mark.parametrize("content", [b"", b"GIF89a", encode(SMOOTH, "GIF"), encode(SMOOTH, "JPEG")[:200]])
def test_what_is_no_image_is_an_os_error(content: bytes):
    with pytest.raises(OSError, match=r"(?i)identify|truncated"):
        decode(content)
