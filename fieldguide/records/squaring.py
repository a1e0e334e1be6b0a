"""Makes the square of one photo from its bytes, for shards of squares and for networks that learn from originals."""

from typing import Any, Final

from PIL import Image

from fieldguide.catalogue.boxes import DrawnBox
from fieldguide.errors import PhotoError
from fieldguide.images.decode import Shrink, decode_photo
from fieldguide.images.encode import encode
from fieldguide.images.geometry import Method
from fieldguide.images.square import make_square
from fieldguide.images.subject import find_subject
from fieldguide.records.manifest import SquareStyle

OVERSIZE: Final = 1.2
"""Times the final size that a JPEG is decoded to at least. The nearest scale above moves the square's levels by 0.7 of
255 in the mean (3/4) to 2.4 (1/8), a third of what a JPEG of quality 92 moves them by (measured on photographs)."""


def encode_square(content: bytes, style: SquareStyle, drawn: DrawnBox | None = None) -> tuple[bytes, dict[str, Any]]:
    """`cut_square` as a file of the style's format."""
    square, geometry = cut_square(content, style, drawn)
    return encode(square, style.encoding), geometry


def cut_square(
    content: bytes, style: SquareStyle, drawn: DrawnBox | None = None, max_pixels: int | None = None
) -> tuple[Image.Image, dict[str, Any]]:
    """A photo's bytes as a square of `style`, and `source_size` (upright, px) and `box` for its JSON.

    Where `style` cuts to boxes, `drawn` is the catalogue's, and the JSON gets `subject`, the box in px of the upright
    photo, or null. Raises PhotoError if the bytes are no photo, or one of more than `max_pixels`: clean drops both.
    """
    drawn = drawn if style.method is Method.BBOX else None
    found = decode_photo(content, max_pixels, _allow_shrinking(style, drawn))
    if found.image is None:
        assert found.flaw
        raise PhotoError(f"{found.flaw.value}: {found.flaw.meaning}")
    subject = find_subject(drawn, found.upright_size, found.exif_orientation) if drawn else None
    part = subject.around(*found.upright_size, style.bbox_margin) if subject else None
    square, box = make_square(found.image, style.layout, part, found.upright_size, found.filled)
    geometry: dict[str, Any] = {"source_size": list(found.upright_size), "box": list(box)}
    if style.method is Method.BBOX:
        geometry["subject"] = list(subject.in_pixels(*found.upright_size)) if subject else None
    return square, geometry


def _allow_shrinking(style: SquareStyle, drawn: DrawnBox | None) -> Shrink:
    """How many times smaller a photo may be decoded, so that what is seen of it is OVERSIZE times its final size."""

    def shrink(width: int, height: int) -> float:
        seen: float = max(width, height) if style.layout.method is Method.PAD else min(width, height)
        if drawn:
            # Which side is which does not matter: the part that is seen is a square.
            across, down, *frame = drawn[2] - drawn[0], drawn[3] - drawn[1], *drawn[4:]
            subject = max(across, down) * (1 + 2 * style.bbox_margin)
            seen = min(seen, subject * max(width, height) / max(frame or (width, height)))
        return seen / (OVERSIZE * style.size)

    return shrink
