"""The page must make squares as the resize stage did; records that say otherwise stop the export."""

import io

import numpy as np
import pytest
from PIL import Image

from fieldguide.errors import ExportError
from fieldguide.photos.geometry import Method
from fieldguide.records.reader import Record
from fieldguide.ship.squares import check_padding, decode_squares

SIDE = 112
WHITE = (255, 255, 255)


def record(box: tuple[int, int, int, int], padding: tuple[int, int, int]) -> Record:
    """A noise photo in `box`, `padding` around it."""
    pixels = np.full((SIDE, SIDE, 3), padding, np.uint8)
    left, top, right, bottom = box
    noise = np.random.default_rng(1).integers(0, 256, (bottom - top, right - left, 3))
    pixels[top:bottom, left:right] = noise
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=60)
    return Record("0" * 16, stream.getvalue(), {"species": 1}, None, box)


FULL, WIDE, SLIGHT = (0, 0, SIDE, SIDE), (0, 30, SIDE, 82), (0, 3, SIDE, 109)


@pytest.mark.parametrize(
    ("box", "padding", "method", "color", "message"),
    [
        (WIDE, WHITE, Method.PAD, WHITE, None),
        (SLIGHT, WHITE, Method.PAD, WHITE, None),
        (FULL, WHITE, Method.PAD, WHITE, None),
        (FULL, WHITE, Method.CROP, WHITE, None),
        (WIDE, WHITE, Method.CROP, WHITE, "method is crop, but photo 0000000000000000 is padded"),
        (WIDE, WHITE, Method.SQUASH, WHITE, "method is squash"),
        (WIDE, (0, 0, 0), Method.PAD, WHITE, r"pad_color is \(255, 255, 255\).* padded with \(0, 0, 0\)"),
        (WIDE, (124, 116, 104), Method.PAD, (124, 116, 124), "set it as in resize"),
    ],
)
def test_records_show_how_they_were_made(
    box: tuple[int, int, int, int],
    padding: tuple[int, int, int],
    method: Method,
    color: tuple[int, int, int],
    message: str | None,
) -> None:
    records = [record(box, padding)]
    squares = decode_squares([each.image for each in records])
    if message is None:
        check_padding(records, squares, method, color)
        return
    with pytest.raises(ExportError, match=message):
        check_padding(records, squares, method, color)
