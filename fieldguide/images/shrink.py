"""Makes photos smaller as they arrive, where there is no room for originals."""

from typing import Final

from fieldguide.images.decode import decode_photo, leaving
from fieldguide.images.encode import encode_jpeg
from fieldguide.images.opening import TAKE_APART, take_apart

QUALITY: Final = 95
MOST_PIXELS: Final = 100_000_000
"""Larger images are more often decompression bombs than photos: they stay as they are, and clean drops them."""


def shrink(content: bytes, max_side: int) -> bytes:
    """A photo as upright JPEG in sRGB whose longer side is at most `max_side` px, with nothing but its pixels.

    A JPEG or PNG that is small and upright keeps its pixels as they are compressed. What cannot be decoded comes back
    as it is, for clean to name.
    """
    found = decode_photo(content, MOST_PIXELS, leaving(max_side))
    if found.image is None:
        return content
    parts = take_apart(content)
    is_as_wanted = max(found.upright_size) <= max_side and found.exif_orientation in (None, 1)
    if is_as_wanted and found.format in TAKE_APART and parts.profile is None:
        return parts.pixels
    found.image.thumbnail((max_side, max_side), reducing_gap=2.0)
    return encode_jpeg(found.image, QUALITY)
