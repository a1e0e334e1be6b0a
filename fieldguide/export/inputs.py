"""The records' squares as every runtime gets them: pixels, and the network's input."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from fieldguide.errors import ExportError
from fieldguide.learn.description import NetworkSpec
from fieldguide.records.reader import RecordSet


def read_inputs(records: RecordSet, network: NetworkSpec, num_photos: int) -> tuple[np.ndarray, np.ndarray]:
    """The first records for a parity check: squares as `decode_squares`, and those as `network` gets them.

    Raises ExportError if there are none.
    """
    chosen = records[:num_photos]
    if not chosen:
        raise ExportError(f"there are no {records.split} records; the export cannot be checked without any")
    squares = decode_squares([record.image for record in chosen])
    return squares, normalise_squares(squares, network.image_size, network.mean, network.std)


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
