"""Bytes to images: what a file really is, and its pixels as upright RGB.

Nothing here trusts a file name or a header's size. Pillow does the decoding; its warnings and exceptions become
flaws of a closed list.
"""

import io
import struct
import warnings
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

# One place decides what a bomb is (`max_megapixels`); Pillow's own limit would raise before we can look at the size.
Image.MAX_IMAGE_PIXELS = None
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP")
EXIF_ORIENTATION = 0x0112

BROKEN = (
    *(OSError, ValueError, SyntaxError, OverflowError, EOFError, IndexError, KeyError, MemoryError, struct.error),
    TypeError,  # a tag of another type than its meaning: an offset that is text
)
"""What Pillow's decoders raise on damaged files, cut or altered anywhere (tests/images/test_decode.py does both)."""


class Flaw(StrEnum):
    """Why bytes are no usable photo; each says what it means, and whether there is an image to look at all the same."""

    meaning: str
    is_decoded: bool

    def __new__(cls, name: str, meaning: str, is_decoded: bool = False) -> Self:
        """A member is its name; the rest are attributes."""
        flaw = str.__new__(cls, name)
        flaw._value_, flaw.meaning, flaw.is_decoded = name, meaning, is_decoded
        return flaw

    EMPTY = "empty", "The file has no bytes."
    NOT_AN_IMAGE = "not_an_image", "The bytes are something else, often a page that says sorry."
    BOMB = "bomb", "More pixels than max_megapixels; never decoded."
    TRUNCATED = "truncated", "The file ends before its picture does."
    UNREADABLE = "unreadable", "The decoder gives up."
    TOO_SMALL = "too_small", "The shorter side is below min_side.", True


@dataclass(frozen=True)
class Inspection:
    """What a file is. `image` is upright RGB, absent where `flaw` says why; sizes are of the file as stored, in px."""

    flaw: Flaw | None
    format: str | None = None
    mode: str | None = None
    width: int | None = None
    height: int | None = None
    exif_orientation: int | None = None
    image: Image.Image | None = None


def inspect(content: bytes, *, min_side: int, max_pixels: int) -> Inspection:
    """Decode a whole photo, once, and say what it is or what is wrong with it.

    An image of more than `max_pixels` is recognised from its header and never decoded.
    """
    if not content:
        return Inspection(Flaw.EMPTY)
    try:
        image = _open(content)
    except UnidentifiedImageError:
        return Inspection(Flaw.NOT_AN_IMAGE)
    except BROKEN as error:
        return Inspection(_flaw_of(error))
    with image:
        facts = Inspection(None, image.format, image.mode, image.width, image.height)
        if image.width * image.height > max_pixels:
            return replace(facts, flaw=Flaw.BOMB)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                orientation = image.getexif().get(EXIF_ORIENTATION)
                image.load()
                facts = replace(facts, exif_orientation=orientation if isinstance(orientation, int) else None)
                if min(image.size) < min_side:
                    return replace(facts, flaw=Flaw.TOO_SMALL)
                return replace(facts, image=upright_rgb(image))
        except BROKEN as error:
            return replace(facts, flaw=_flaw_of(error))


def read_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of the file as stored, px, from its header; None if it is no image of FORMATS."""
    try:
        with _open(content) as image:
            return image.size
    except (UnidentifiedImageError, *BROKEN):
        return None


def load_rgb(content: bytes, *, shorter_side: int) -> tuple[Image.Image, tuple[int, int]]:
    """Decode a photo that `inspect` found good into upright RGB; also its full upright size, px.

    A JPEG is decoded at the smallest scale of 1/1, 1/2, 1/4, 1/8 whose shorter side is still `shorter_side` px: several
    times faster for large photos.
    """
    with _open(content) as image, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        turned = image.getexif().get(EXIF_ORIENTATION) in (5, 6, 7, 8)
        full = (image.height, image.width) if turned else (image.width, image.height)
        if image.format in ("JPEG", "MPO") and (scale := min(full) // shorter_side) >= 2:
            image.draft(None, (image.width // scale, image.height // scale))
        image.load()
        return upright_rgb(image), full


def upright_rgb(image: Image.Image) -> Image.Image:
    """`image` turned as its EXIF orientation asks and converted to 8-bit RGB; transparency becomes white."""
    # Most photos are upright RGB already; a copy of a large one costs as much as its fingerprint.
    turned = image.getexif().get(EXIF_ORIENTATION) not in (None, 1)
    upright = ImageOps.exif_transpose(image) if turned else image
    if upright.mode.startswith("I;16") or upright.mode in ("I", "F"):
        # Pillow clips wide integers instead of scaling them: a 16-bit photograph would come out white.
        wide = np.asarray(upright, dtype=np.float64)
        top = 65535.0 if wide.max(initial=0) > 255 else 255.0
        upright = Image.fromarray(np.clip(wide * (255.0 / top) + 0.5, 0, 255).astype(np.uint8))
    if upright.mode in ("LA", "RGBA", "PA") or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        upright = Image.alpha_composite(white, layer)
    return upright if upright.mode == "RGB" else upright.convert("RGB")


def _flaw_of(error: Exception) -> Flaw:
    cut = isinstance(error, EOFError) or any(hint in str(error).lower() for hint in ("truncated", "broken data stream"))
    return Flaw.TRUNCATED if cut else Flaw.UNREADABLE


def _open(content: bytes) -> ImageFile.ImageFile:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Image.open(io.BytesIO(content), formats=FORMATS)
