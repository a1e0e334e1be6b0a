"""Photos to squares: where a photo of any shape lies in a square of one size.

The same arithmetic runs in the browser (web/preprocess.js); change both or neither.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Method(StrEnum):
    """How a photo becomes a square."""

    PAD = "pad"
    """Aspect kept, all of the photo visible, the rest filled: loses nothing of the subject."""
    CROP = "crop"
    """Aspect kept, the centre square of the photo."""
    SQUASH = "squash"
    """All of the photo visible, aspect lost."""
    BBOX = "bbox"
    """Aspect kept, the square around the box that its source draws around the subject."""


class Fill(StrEnum):
    """What is where the photo is not."""

    COLOR = "color"
    """One colour for all photos."""
    MEAN = "mean"
    """The mean of the pixels beside it, so that the square is as bright as its photo."""
    EDGE = "edge"
    """The photo's border, drawn out."""
    REFLECT = "reflect"
    """The photo, mirrored at its border as often as it takes."""


UNBOXED: Final = (Method.PAD, Method.CROP, Method.SQUASH)
"""What can be done to a photo of which only its size is known."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in px; right and bottom exclusive."""
Color = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""


@dataclass(frozen=True)
class Layout:
    """All that says how a photo without a box becomes a square."""

    size: int
    """Both sides, px."""
    method: Method
    """One of UNBOXED."""
    upscale: bool = True
    """Whether a photo that is smaller than the square is enlarged; else it lies in the middle as it is."""
    fill: Fill = Fill.COLOR
    color: Color = (255, 255, 255)
    """Of Fill.COLOR."""


@dataclass(frozen=True)
class Placement:
    """What part of the photo is resized to what size, and where that goes in the square."""

    source: Box
    target: Box


def place(width: int, height: int, layout: Layout) -> Placement:
    """Where a `width` x `height` px photo goes in its square."""
    if layout.method is Method.CROP:
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return Placement((left, top, left + side, top + side), _center(side, side, layout))
    return Placement((0, 0, width, height), _center(width, height, layout))


def place_part(part: Box, layout: Layout) -> Placement:
    """Where a part of a photo goes: wholly visible, its aspect kept."""
    left, top, right, bottom = part
    width, height = right - left, bottom - top
    return Placement(part, _center(width, height, Layout(layout.size, Method.PAD, layout.upscale)))


def _center(width: int, height: int, layout: Layout) -> Box:
    """The middle of the square that `width` x `height` px fill once they are resized."""
    size = layout.size
    longer = max(width, height)
    if layout.method is Method.SQUASH:
        inner = (size, size) if layout.upscale else (min(width, size), min(height, size))
    elif longer <= size and not layout.upscale:
        inner = (width, height)
    else:
        # Halves round up, as JavaScript's Math.round does; Python's round would go to the even neighbour.
        scaled = [max(1, (2 * side * size + longer) // (2 * longer)) for side in (width, height)]
        inner = (scaled[0], scaled[1])
    left, top = (size - inner[0]) // 2, (size - inner[1]) // 2
    return left, top, left + inner[0], top + inner[1]
