"""Where the photo lies in an image that was cut out of its square, turned and resized: all else there is padding."""

import math
from collections.abc import Iterable

from fieldguide.images.geometry import Box
from fieldguide.records.torch.part import Part

EMPTY: Box = (0, 0, 0, 0)
"""Of an image that shows nothing but padding."""
REACH = 2
"""Pixels on each side of a pixel that bicubic resizing makes it of: of the coarser of both grids."""
SLACK = 1
"""Pixels that are lost where the edges of a cut or of a decoding at a scale fall between two pixels."""


def follow_box(box: Box, part: Part, sizes: Iterable[tuple[int, int]]) -> Box:
    """The box of the photo in the image that `part` of a square becomes, resized to each of `sizes` (height, width).

    `box` is that in the square, px. A pixel at its edge that resizing mixes with the padding beside it counts as
    padding: what is inside depends on the photo alone.
    """
    across = _cut(box[0] - part.left, box[2] - part.left, part.width, turned=part.mirrored)
    down = _cut(box[1] - part.top, box[3] - part.top, part.height, turned=part.upside_down)
    height, width = part.height, part.width
    for new_height, new_width in sizes:
        across, down = _resize(*across, width, new_width), _resize(*down, height, new_height)
        height, width = new_height, new_width
    (left, right), (top, bottom) = across, down
    return (left, top, right, bottom) if left < right and top < bottom else EMPTY


def _cut(start: int, end: int, length: int, *, turned: bool) -> tuple[int, int]:
    start, end = min(max(start, 0), length), min(max(end, 0), length)
    return (length - end, length - start) if turned else (start, end)


def _resize(start: int, end: int, length: int, target: int) -> tuple[int, int]:
    if length == target:
        return start, end
    scale = target / length
    lost = REACH * max(1.0, scale) + SLACK
    first = math.ceil(start * scale + lost) if start > 0 else 0
    last = math.floor(end * scale - lost) if end < length else target
    return (first, last) if first < last else (0, 0)
