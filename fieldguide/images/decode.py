"""Bytes to images: what a file really is, and its pixels as upright RGB in sRGB.

Nothing here trusts a file name or a header's numbers. Whatever a decoder raises is a flaw of that photo, one of a
closed list; only a machine without memory is no photo's fault.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import IO, Final, Self

import numpy as np
from PIL import Image, UnidentifiedImageError

from fieldguide.errors import PhotoError
from fieldguide.images.color import to_rgb
from fieldguide.images.kinds import find_kind
from fieldguide.images.levels import is_wide, scale_grey
from fieldguide.images.opening import FORMATS, Header, load_pixels, open_photo, take_apart
from fieldguide.images.parts import CostlyError
from fieldguide.images.turning import ON_THEIR_SIDE, TURNS, Region, turn_region

EXIF_ORIENTATION: Final = 0x0112
MAX_SIDE: Final = 2**31 - 1
"""Px; what tables hold. A TIFF can say more, and means harm."""
BYTES_PER_PIXEL: Final = 12
"""Of memory, at most, while a photo is decoded: the coefficients of a progressive JPEG, and pixels."""


Shrink = Callable[[int, int], float]
"""From the width and height of a photo as stored, px, to how many times smaller it is still good."""


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
    UNSUPPORTED = "unsupported", "An image of a kind that is not read; `format` names it."
    BOMB = "bomb", "More pixels than max_megapixels; never decoded."
    COSTLY = "costly", "Decoding takes many times longer than a photo does; given up."
    TRUNCATED = "truncated", "The file ends before its picture does."
    UNREADABLE = "unreadable", "The decoder gives up."
    TOO_SMALL = "too_small", "The shorter side is below min_side.", True


@dataclass(frozen=True)
class Inspection:
    """What a file is. `image` is upright RGB, absent where `flaw` says why; sizes are of the file as stored, in px."""

    flaw: Flaw | None
    format: str | None = None
    """In Pillow's words; of what is no photo, or of no kind that is read, in those of fieldguide/images/kinds.py."""
    mode: str | None = None
    width: int | None = None
    """None if no table could hold it."""
    height: int | None = None
    exif_orientation: int | None = None
    """1 to 8; None if there is none, or none with a meaning."""
    image: Image.Image | None = None
    filled: Region = (0.0, 0.0, 1.0, 1.0)
    """The part of `image` that the photo fills, in shares: at a scale, its last column and row are partly beyond it."""

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height of the picture as it is seen, px."""
        size = (self.width or 0, self.height or 0)
        return size[::-1] if self.exif_orientation in ON_THEIR_SIDE else size


def inspect(content: bytes, *, min_side: int, max_pixels: int) -> Inspection:
    """Decode a whole photo, once, and say what it is or what is wrong with it.

    An image of more than `max_pixels` is recognised from its header and never decoded. Raises MemoryError, and nothing
    else whatever the bytes are.
    """
    found = decode_photo(content, max_pixels)
    if found.image is not None and min(found.image.size) < min_side:
        return replace(found, flaw=Flaw.TOO_SMALL, image=None)
    return found


def decode_photo(content: bytes, max_pixels: int | None, shrink: Shrink | None = None) -> Inspection:
    """`inspect` for any size; `shrink` says how many times smaller a JPEG may be decoded, which takes less time."""
    if not content:
        return Inspection(Flaw.EMPTY)
    facts = Inspection(None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parts = take_apart(content)
            if parts.unsupported:
                return Inspection(Flaw.UNSUPPORTED, parts.unsupported)
            header = open_photo(parts)
            facts = _describe(header)
            if facts.width is None or (max_pixels and header.width * header.height > max_pixels):
                return replace(facts, flaw=Flaw.BOMB)
            image, scale = load_pixels(header, shrink(header.width, header.height) if shrink else 1)
            upright = upright_rgb(image, header.orientation or 1, header.profile)
            filled = (0.0, 0.0, header.width * scale / image.width, header.height * scale / image.height)
            return replace(facts, image=upright, filled=turn_region(filled, header.orientation))
    except MemoryError:
        raise
    except UnidentifiedImageError:
        return _name(content)
    except Exception as error:  # a closed list would be of what decoders raised so far
        _require_memory(facts.width * facts.height if facts.width and facts.height else max_pixels or 0)
        return replace(facts, flaw=_flaw_of(error), format=facts.format or _name(content).format)


def leaving(shorter_side: int) -> Shrink:
    """1, 2, 4 or 8 times smaller, whichever leaves `shorter_side` px."""
    return lambda width, height: 1 << min(3, max(1, min(width, height) // shorter_side).bit_length() - 1)


def load_rgb(
    content: bytes, *, shorter_side: int, max_pixels: int | None = None
) -> tuple[Image.Image, tuple[int, int]]:
    """Decode a photo into upright RGB; also its full upright size, px. Raises PhotoError where `inspect` finds a flaw.

    A JPEG is decoded at the smallest scale of 1/1, 1/2, 1/4, 1/8 whose shorter side is still `shorter_side` px: several
    times faster for large photos.
    """
    found = decode_photo(content, max_pixels, leaving(shorter_side))
    if found.image is None:
        assert found.flaw
        raise PhotoError(f"{found.flaw.value}: {found.flaw.meaning}")
    return found.image, found.upright_size


def read_header(stream: IO[bytes]) -> tuple[str, tuple[int, int]] | None:
    """Format and size (width, height as stored, px) by a file's header; None if no photo begins there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(stream, formats=FORMATS) as image:
                return image.format or "", image.size
    except MemoryError:
        raise
    except Exception:  # as in decode_photo
        return None


def upright_rgb(image: Image.Image, orientation: int | None = None, profile: bytes | None = None) -> Image.Image:
    """`image` turned as its EXIF orientation asks, in sRGB of 8 bits; transparency becomes white.

    Without `orientation` and `profile`, what the image itself says counts. Nothing but pixels is left.
    """
    # Most photos are upright RGB already; a copy of a large one costs as much as its fingerprint.
    turn = TURNS.get(orientation or image.getexif().get(EXIF_ORIENTATION, 1))
    upright = to_rgb(scale_grey(image) if is_wide(image) else image, profile or image.info.get("icc_profile"))
    upright = upright if turn is None else upright.transpose(turn)
    upright.info = {}
    return upright


def _describe(header: Header) -> Inspection:
    image = header.image
    facts = Inspection(None, image.format, image.mode, exif_orientation=header.orientation)
    if max(header.width, header.height) > MAX_SIDE:
        return facts
    return replace(facts, width=header.width, height=header.height)


def _name(content: bytes) -> Inspection:
    kind = find_kind(content)
    if kind is None or not kind.is_image:
        return Inspection(Flaw.NOT_AN_IMAGE, kind.name if kind else None)
    return Inspection(Flaw.UNREADABLE if kind.is_read else Flaw.UNSUPPORTED, kind.name)


def _flaw_of(error: Exception) -> Flaw:
    if isinstance(error, CostlyError):
        return Flaw.COSTLY
    is_cut = isinstance(error, EOFError) or any(
        hint in str(error).lower() for hint in ("truncated", "broken data stream")
    )
    return Flaw.TRUNCATED if is_cut else Flaw.UNREADABLE


def _require_memory(num_pixels: int) -> None:
    """Raise MemoryError if a photo of that size would not fit: decoders name the lack of memory in many other words."""
    np.empty(BYTES_PER_PIXEL * num_pixels, np.uint8)
