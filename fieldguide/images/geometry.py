"""Photos to squares: where a photo of any shape lies in a square of one size.

The same arithmetic runs in the browser (web/preprocess.js); change both or neither.
"""

from dataclasses import dataclass
from enum import StrEnum

from PIL import Image


class Method(StrEnum):
    """How a photo becomes a square."""

    PAD = "pad"
    """Aspect kept, all of the photo visible, the rest filled: loses nothing of the subject."""
    CROP = "crop"
    """Aspect kept, the centre square of the photo."""
    SQUASH = "squash"
    """All of the photo visible, aspect lost."""


Box = tuple[int, int, int, int]
"""Left, top, right, bottom in px; right and bottom exclusive."""


@dataclass(frozen=True)
class Placement:
    """What part of the photo is resized to what size, and where that goes in the square."""

    source: Box
    target: Box


def place(width: int, height: int, size: int, method: Method) -> Placement:
    """Where a `width` x `height` px photo goes in a square of `size` px."""
    whole = (0, 0, width, height)
    if method is Method.SQUASH:
        return Placement(whole, (0, 0, size, size))
    if method is Method.CROP:
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return Placement((left, top, left + side, top + side), (0, 0, size, size))
    longer = max(width, height)
    # Halves round up, as JavaScript's Math.round does; Python's round would go to the even neighbour.
    target_width, target_height = (max(1, (2 * side * size + longer) // (2 * longer)) for side in (width, height))
    left, top = (size - target_width) // 2, (size - target_height) // 2
    return Placement(whole, (left, top, left + target_width, top + target_height))


def make_square(image: Image.Image, size: int, method: Method, color: tuple[int, int, int]) -> tuple[Image.Image, Box]:
    """`image` (RGB) as a `size` x `size` px square by antialiased bicubic, and the box that it fills there."""
    placement = place(image.width, image.height, size, method)
    left, top, right, bottom = placement.target
    resized = image.resize((right - left, bottom - top), Image.Resampling.BICUBIC, box=placement.source)
    if resized.size == (size, size):
        return resized, placement.target
    square = Image.new("RGB", (size, size), color)
    square.paste(resized, (left, top))
    return square, placement.target
