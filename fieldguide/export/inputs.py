"""The records' squares as every runtime gets them: pixels, and the network's input."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image


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
