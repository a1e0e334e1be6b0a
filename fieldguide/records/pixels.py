"""The pixels of a record's photo, decoded as fast as this machine can.

JPEGs are decoded by libjpeg-turbo (simplejpeg), without a detour through an image object: the same pixels as Pillow's
in half the time. Whatever else a record may hold, and whatever libjpeg-turbo calls damaged, goes to Pillow.
"""

import io
from typing import Final

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image

from fieldguide.images.encode import DECODERS

Pixels = npt.NDArray[np.uint8]
"""RGB, uint8 [height, width, 3]."""

JPEG_START: Final = b"\xff\xd8\xff"
SCALES: Final = (8, 4, 2)
"""By how much a JPEG can be shrunk while it is decoded, at no cost."""
WRITTEN_AT_ONCE: Final = 32
"""Bytes that libjpeg-turbo writes at once."""


def read_size(image: bytes) -> tuple[int, int]:
    """Height and width, px, from the header. Raises OSError where it is no image of a record."""
    if image.startswith(JPEG_START):
        try:
            height, width, _, _ = simplejpeg.decode_jpeg_header(image)
        except ValueError:
            pass
        else:
            return height, width
    with Image.open(io.BytesIO(image), formats=DECODERS) as opened:
        return opened.height, opened.width


def decode(image: bytes, *, scale: int = 1, out: Pixels | None = None) -> Pixels:
    """The pixels, or with `scale` (1, 2, 4 or 8) those of the photo shrunk by it, sides rounded up.

    With `out`, they are written there if they have its shape, and then it is `out` that is returned. Raises OSError
    where the image cannot be decoded.
    """
    if image.startswith(JPEG_START):
        try:
            return _decode_jpeg(image, scale, out)
        except ValueError:
            pass
    with Image.open(io.BytesIO(image), formats=DECODERS) as opened:
        pixels = opened.convert("RGB").reduce(scale) if scale > 1 else opened.convert("RGB")
    # A copy: torch wants arrays that it could write to.
    return np.array(pixels)


def choose_scale(height: int, width: int, side: int) -> int:
    """The largest scale that leaves a part of `height` x `width` px twice as large as the `side` it is resized to.

    Twice is what Pillow calls indistinguishable from a fair resizing (`reducing_gap`).
    """
    return next((scale for scale in SCALES if min(height, width) >= 2 * scale * side), 1)


def _decode_jpeg(image: bytes, scale: int, out: Pixels | None) -> Pixels:
    if scale > 1:
        height, width, _, _ = simplejpeg.decode_jpeg_header(image)
        # The decoder takes the smallest scale that stays above these.
        sides = {"min_height": -(-height // scale), "min_width": -(-width // scale), "min_factor": scale}
        shrunk: Pixels = simplejpeg.decode_jpeg(image, "RGB", **sides)
        return shrunk
    if out is None:
        out = _empty_pixels(*simplejpeg.decode_jpeg_header(image)[:2])
    # A larger photo does not fit into `out` (ValueError), a smaller one would be strewn over it.
    pixels: Pixels = simplejpeg.decode_jpeg(image, "RGB", buffer=out)
    return out if pixels.shape == out.shape else pixels.copy()


def _empty_pixels(height: int, width: int) -> Pixels:
    """Room for pixels that are read again soon, not initialised.

    Where rows begin at a multiple of 32 bytes libjpeg-turbo writes past the caches, straight to memory: that takes 15 %
    longer, and whoever reads the pixels waits for them to come back.
    """
    size = height * width * 3
    room = np.empty(size + WRITTEN_AT_ONCE, np.uint8)
    start = (WRITTEN_AT_ONCE // 2 - room.ctypes.data) % WRITTEN_AT_ONCE
    return room[start : start + size].reshape(height, width, 3)
