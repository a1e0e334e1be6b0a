"""Many bits in eight: a picture looks the same whatever depth and container it was kept in."""

import struct
import zlib
from typing import Literal

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from fieldguide.images.decode import inspect
from tests.images.forged import chunk, with_chunks
from tests.images.pictures import blotches, encode

PHOTO = blotches(5, 64, 48)
COLOR = np.asarray(PHOTO)
GREY = np.asarray(PHOTO.convert("L"))


def tiff(samples: np.ndarray, *tags: tuple[int, int, int, int], order: Literal["<", ">"] = "<") -> bytes:
    """Samples [height, width, channels] as an uncompressed TIFF; `tags` are more of (tag, type, count, value)."""
    height, width, channels = samples.shape
    bits = 8 * samples.dtype.itemsize
    offset = 8 + 2 + 12 * (9 + len(tags)) + 4
    fields = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, offset) if channels > 2 else (258, 3, 1, bits),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if channels > 2 else 1),
        (273, 4, 1, offset + 2 * channels),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, samples.nbytes),
    ]
    fields = sorted({field[0]: field for field in (*fields, *tags)}.values())
    packed = b"".join(
        struct.pack(f"{order}HHIHH", *field, 0)
        if field[1] == 3 and field[2] == 1
        else struct.pack(f"{order}HHII", *field)
        for field in fields
    )
    magic = b"II*\0" if order == "<" else b"MM\0*"
    head = magic + struct.pack(f"{order}IH", 8, len(fields)) + packed + bytes(4)
    head += bytes(offset - len(head))
    body = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    return head + struct.pack(f"{order}{channels}H", *[bits] * channels) + body


def wide_png(samples: np.ndarray) -> bytes:
    """Colours [height, width, 3 or 4] of 16 bits as a PNG."""
    height, width, channels = samples.shape
    header = struct.pack(">IIBBBBB", width, height, 16, 2 if channels == 3 else 6, 0, 0, 0)
    rows = samples.astype(">u2").reshape(height, -1)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def shown(content: bytes) -> np.ndarray:
    found = inspect(content, min_side=1, max_pixels=10**6)
    assert found.flaw is None
    return np.asarray(found.image, dtype=np.int16)


def of_grey(kind: str, factor: float = 1, form: type = np.uint16) -> bytes:
    return encode(Image.fromarray((GREY.astype(np.float64) * factor).astype(form)), kind)


@pytest.mark.parametrize(
    "content",
    [
        of_grey("TIFF", 257),
        of_grey("TIFF", 16),
        of_grey("PNG", 257),
        of_grey("PNG", 16),
        of_grey("PNG", 1),
        of_grey("TIFF", 64),
        of_grey("TIFF", 257, np.int32),
        of_grey("TIFF", 1 / 255, np.float32),
        of_grey("TIFF", 1, np.float32),
        of_grey("TIFF", 257, np.float32),
        tiff(GREY[..., None].astype(np.uint16) * 16, order=">"),
        tiff((255 - GREY[..., None].astype(np.uint16)) * 257, (262, 3, 1, 0)),
        with_chunks(of_grey("PNG", 16), chunk(b"sBIT", b"\x0c")),
    ],
    ids=[
        *("tiff-16", "tiff-12-in-16", "png-16", "png-12-in-16", "png-8-in-16", "tiff-14-in-16", "int32", "fractions"),
        *("float-255", "float-65535", "big-endian", "white-is-zero", "sbit"),
    ],
)
def test_greys(content: bytes) -> None:
    assert np.abs(shown(content) - GREY[..., None]).max() <= 1


ORDERS: tuple[Literal["<", ">"], ...] = ("<", ">")
WIDE = COLOR.astype(np.uint16)
CLEAR = np.concatenate([WIDE, np.full((48, 64, 1), 255, np.uint16)], axis=-1)


@pytest.mark.parametrize(
    "content",
    [
        wide_png(WIDE * 257),
        wide_png(WIDE * 16),
        wide_png(CLEAR * 16),
        tiff(WIDE * 257),
        tiff(WIDE * 16),
        tiff(WIDE * 16, order=">"),
        tiff(CLEAR * 16, (338, 3, 1, 2)),
    ],
    ids=["png-16", "png-12-in-16", "png-12-in-16-alpha", "tiff-16", "tiff-12-in-16", "big-endian", "tiff-alpha"],
)
def test_colors(content: bytes) -> None:
    assert np.abs(shown(content) - COLOR).max() <= 1


def test_colors_of_a_compressed_tiff(monkeypatch: pytest.MonkeyPatch) -> None:
    # All go through libtiff, as compressed ones do; Pillow writes none of 16 bits.
    monkeypatch.setattr(TiffImagePlugin, "READ_LIBTIFF", True)
    for order in ORDERS:
        assert np.abs(shown(tiff(WIDE * 16, order=order)) - COLOR).max() <= 1


def test_fractions_may_exceed_one() -> None:
    levels = GREY.astype(np.float32) / 255
    levels[10, 10] = 1.3
    assert np.abs(np.delete(shown(encode(Image.fromarray(levels), "TIFF"))[..., 0] - GREY, 10, axis=0)).max() <= 1


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, -5.0])
def test_what_is_no_number_is_black(odd: float) -> None:
    levels = GREY.astype(np.float32)
    levels[10, 10] = odd
    image = shown(encode(Image.fromarray(levels), "TIFF"))
    assert image[10, 10].tolist() == [0, 0, 0]
    assert np.abs(np.delete(image[..., 0], 10, axis=0) - np.delete(GREY, 10, axis=0)).max() <= 1


def test_black_stays_black() -> None:
    assert shown(encode(Image.new("I;16", (8, 8)), "PNG")).max() == 0
    assert shown(wide_png(np.zeros((8, 8, 3), np.uint16))).max() == 0
