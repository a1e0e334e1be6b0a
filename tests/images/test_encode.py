"""What is written holds pixels and no words, wherever the image came from, and equal pixels give equal bytes."""

import io

import numpy as np
import pytest
from PIL import Image

from fieldguide.images.encode import DECODERS, Encoding, ImageFormat, Subsampling, encode, encode_jpeg, format_of
from tests.images.forged import SECRET, talkative
from tests.images.pictures import blotches

PHOTO = blotches(3, 96, 96)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content), formats=DECODERS)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_no_word_is_left(kind: str) -> None:
    with Image.open(io.BytesIO(talkative(kind, blotches(1)))) as image:
        image.load()
    image = image if image.mode == "RGB" else image.convert("RGB")
    image.info |= {"icc_profile": SECRET, "exif": b"Exif\0\0" + SECRET, "comment": SECRET, "xmp": SECRET, "dpi": (7, 7)}
    for each in ImageFormat:
        written = encode(image, Encoding(each))
        assert SECRET not in written
        info = opened(written).info
        assert info.keys() <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "loop",
            "background",
            "timestamp",
            "duration",
        }
    assert SECRET in image.info["comment"]


@pytest.mark.parametrize("each", ImageFormat)
def test_formats(each: ImageFormat) -> None:
    written = encode(PHOTO, Encoding(each, 95, Subsampling.QUARTER))
    image = opened(written)
    assert (image.format, image.mode, image.size) == (each.value.upper(), "RGB", (96, 96))
    assert format_of(written) is each
    difference = np.abs(np.asarray(image, np.int16) - np.asarray(PHOTO, np.int16))
    assert difference.mean() < (0.01 if each is ImageFormat.PNG else 4)
    assert encode(PHOTO.copy(), Encoding(each, 95, Subsampling.QUARTER)) == written


def test_png_holds_nothing_but_pixels() -> None:
    written = encode(PHOTO, Encoding(ImageFormat.PNG))
    chunks, position = [], 8
    while position < len(written):
        length = int.from_bytes(written[position : position + 4])
        chunks.append(written[position + 4 : position + 8])
        position += length + 12
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}


def test_webp_holds_nothing_but_pixels() -> None:
    assert encode(PHOTO, Encoding(ImageFormat.WEBP))[12:16] == b"VP8 "


@pytest.mark.parametrize(
    ("subsampling", "factors"), [(Subsampling.FULL, 0x11), (Subsampling.HALF, 0x21), (Subsampling.QUARTER, 0x22)]
)
def test_subsampling(subsampling: Subsampling, factors: int) -> None:
    written = encode(PHOTO, Encoding(ImageFormat.JPEG, 90, subsampling))
    frame = written.index(b"\xff\xc0")
    assert written[frame + 11] == factors
    assert len(encode(PHOTO, Encoding(ImageFormat.JPEG, 60, subsampling))) < len(written)


def test_jpeg_keeps_a_quarter_of_the_colours() -> None:
    assert encode_jpeg(PHOTO, 88) == encode(PHOTO, Encoding(ImageFormat.JPEG, 88, Subsampling.QUARTER))
