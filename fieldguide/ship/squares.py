"""The records' squares as every runtime gets them: pixels, and the network's input."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from fieldguide.errors import ExportError
from fieldguide.photos.geometry import Method
from fieldguide.records.reader import Record

JPEG_BLOCK = 16
"""JPEG blurs the border between photo and padding over one block of this many px."""

PADDING_TOLERANCE = 6
"""JPEG moves a plain colour by no more than this on average, in steps of 1/255."""


def decode_squares(jpegs: Sequence[bytes]) -> np.ndarray:
    """The records' pixels: uint8 [num_photos, side, side, 3]."""
    return np.stack([np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")) for jpeg in jpegs])


def normalise_squares(squares: np.ndarray, size: int, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """The evaluation preprocessing of docs/formats.md: float32 [num_photos, size, size, 3]."""
    if squares.shape[1] != size:
        resized = [Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC) for square in squares]
        squares = np.stack([np.asarray(square) for square in resized])
    unit = squares.astype(np.float32) / np.float32(255)
    normalised: np.ndarray = (unit - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return normalised


def check_padding(
    records: Sequence[Record], squares: np.ndarray, method: Method, pad_color: tuple[int, int, int]
) -> None:
    """Raise ExportError if the records show that they were not made by `method` with `pad_color`.

    The page repeats what the resize stage did, but the records hold only its result.
    """
    side = squares.shape[1]
    for record, square in zip(records, squares, strict=True):
        where = f"photo {record.photo_id} is padded"
        if record.box != (0, 0, side, side) and method is not Method.PAD:
            raise ExportError(f"export_tfjs.method is {method}, but {where}; set it as in resize")
        left, top, right, bottom = record.box
        outside = np.ones((side, side), bool)
        outside[max(0, top - JPEG_BLOCK) : bottom + JPEG_BLOCK, max(0, left - JPEG_BLOCK) : right + JPEG_BLOCK] = False
        if outside.any() and np.abs((found := square[outside].mean(axis=0)) - pad_color).max() > PADDING_TOLERANCE:
            shown = tuple(round(value) for value in found.tolist())
            raise ExportError(f"export_tfjs.pad_color is {pad_color}, but {where} with {shown}; set it as in resize")
