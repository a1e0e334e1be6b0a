"""Pictures that a camera stored in another position than they are seen in, by their EXIF orientation."""

from typing import Final

from PIL import Image

TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What puts a picture upright."""
ON_THEIR_SIDE: Final = (5, 6, 7, 8)
"""Orientations in which width and height change places."""
FROM_RIGHT, FROM_BOTTOM = (2, 3, 6, 7), (3, 4, 7, 8)
"""Orientations in which the upright picture's columns, or rows, count from the other end."""

Region = tuple[float, float, float, float]
"""Left, top, right, bottom, in shares of a picture's sides or in px."""


def turn_region(region: Region, orientation: int | None) -> Region:
    """Where a part of the picture as stored lies once that is upright, both in shares of the sides."""
    left, top, right, bottom = region
    if orientation in ON_THEIR_SIDE:
        left, top, right, bottom = top, left, bottom, right
    if orientation in FROM_RIGHT:
        left, right = 1 - right, 1 - left
    if orientation in FROM_BOTTOM:
        top, bottom = 1 - bottom, 1 - top
    return left, top, right, bottom
