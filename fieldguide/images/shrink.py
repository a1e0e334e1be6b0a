"""Makes photos smaller as they arrive, where there is no room for originals."""

import io
from typing import Final

from fieldguide.images.decode import BROKEN, load_rgb, read_size

QUALITY: Final = 95
MOST_PIXELS: Final = 100_000_000
"""Larger images are more often decompression bombs than photos: they stay as they are, and clean drops them."""


def shrink(content: bytes, max_side: int) -> bytes:
    """A photo whose longer side is more than `max_side` px as an upright RGB JPEG of that size.

    Anything else comes back as it is: smaller photos, and what cannot be decoded.
    """
    size = read_size(content)
    if size is None or max(size) <= max_side or size[0] * size[1] > MOST_PIXELS:
        return content
    try:
        image, _ = load_rgb(content, shorter_side=max_side)
    except BROKEN:
        return content
    image.thumbnail((max_side, max_side), reducing_gap=2.0)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
