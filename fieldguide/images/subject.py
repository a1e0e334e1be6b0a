"""From a box that somebody drew on a picture to the part of the photo that is cut out.

The picture may have been larger than the photo is now, or lain on its side: a box counts where its picture has the
photo's shape, upright or as the camera stored it, and is left out elsewhere rather than laid around something else.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fieldguide.images.geometry import Box
from fieldguide.images.turning import ON_THEIR_SIDE, Region, turn_region

TOLERANCE: Final = 2
"""Px by which a side of the photo may differ from that of the picture, once both are as large: sizes are rounded."""

ROUNDING: Final = 1e-6
"""Px."""


@dataclass(frozen=True)
class Subject:
    """The box in shares of the upright photo's sides, all in [0, 1]."""

    left: float
    top: float
    right: float
    bottom: float

    def in_pixels(self, width: int, height: int) -> Box:
        """The pixels of a `width` x `height` px photo that it touches."""
        left, right = _touched(self.left * width, self.right * width, width)
        top, bottom = _touched(self.top * height, self.bottom * height, height)
        return left, top, right, bottom

    def around(self, width: int, height: int, margin: float) -> Box:
        """The square around it that leaves `margin` of its longer side on either side, moved into the photo.

        Where the photo is too narrow for that, the square becomes a rectangle as narrow as the photo.
        """
        across, down = (self.right - self.left) * width, (self.bottom - self.top) * height
        side = round(max(across, down) * (1 + 2 * margin))
        left, right = _center(self.left * width + across / 2, side, width)
        top, bottom = _center(self.top * height + down / 2, side, height)
        return left, top, right, bottom


def find_subject(drawn: Sequence[float], size: tuple[int, int], orientation: int | None) -> Subject | None:
    """What a box of the catalogue is in a photo of upright `size`, px, and with that EXIF orientation.

    Its part outside of the photo is cut off. None where nothing is left, or where its picture was another.
    """
    if len(drawn) not in (4, 6):
        return None
    frame = (drawn[4], drawn[5]) if len(drawn) == 6 else (float(size[0]), float(size[1]))
    region: Region = drawn[0] / frame[0], drawn[1] / frame[1], drawn[2] / frame[0], drawn[3] / frame[1]
    if not _fits(frame, size):
        if orientation not in ON_THEIR_SIDE or not _fits(frame, size[::-1]):
            return None
        region = turn_region(region, orientation)
    left, top, right, bottom = (min(max(share, 0.0), 1.0) for share in region)
    return Subject(left, top, right, bottom) if left < right and top < bottom else None


def _fits(frame: tuple[float, float], size: tuple[int, int]) -> bool:
    """Whether both have one shape."""
    scale = max(size) / max(frame)
    return all(abs(side * scale - wanted) <= TOLERANCE for side, wanted in zip(frame, size, strict=True))


def _touched(start: float, end: float, length: int) -> tuple[int, int]:
    """The whole px of `length` between which `start` and `end` lie; what rounding adds to a whole px is none."""
    first = min(math.floor(start + ROUNDING), length - 1)
    return first, max(first + 1, math.ceil(end - ROUNDING))


def _center(middle: float, side: int, length: int) -> tuple[int, int]:
    """Where `side` px around `middle` begin and end, moved into 0 to `length`."""
    side = min(max(side, 1), length)
    start = min(max(round(middle - side / 2), 0), length - side)
    return start, start + side
