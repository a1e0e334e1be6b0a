"""Pixels of more than 8 bits, in 8: scaled by the depth that is really used, not by that of the container.

Cameras of microscopes and scanners write 10, 12 or 14 bits into 16, and measurements as floating point; to a reader
that reckons with the full range they are black.
"""

import re
import sys
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

TOPS: Final = tuple((1 << bits) - 1 for bits in (8, 10, 12, 14, 16))
"""White, in the depths that are in use."""
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0
SIXTEEN_BITS = re.compile(r"(RGB|RGBA|RGBX|RGBa);16([LBN])")
OTHER_BYTE: Final = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
"""Of the unpackers that keep one byte of two, the one that keeps the other."""


def is_wide(image: Image.Image) -> bool:
    """Whether `image` holds one number of more than 8 bits a pixel."""
    return image.mode.startswith("I;16") or image.mode in ("I", "F")


def scale_grey(image: Image.Image) -> Image.Image:
    """A wide image in mode L. White is the least of TOPS that no pixel exceeds, or 1 where pixels are fractions.

    Black is 0; less than that, and what is no number, is black too.
    """
    levels = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    # Sharpening and resizing leave fractions a little above 1; in a picture of 0 to 255 nothing so dark is seen.
    is_fractions = image.mode == "F" and levels.max(initial=0) <= 2
    scaled = _scale(levels, 1.0 if is_fractions else _find_top(levels))
    # Pillow inverts such files of 8 bits, but none of 16.
    is_negative = getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO
    return Image.fromarray(255 - scaled if is_negative else scaled)


def find_sixteen_bits(image: ImageFile.ImageFile) -> bool:
    """Whether a colour image that is not loaded yet has 16 bits a channel, of which Pillow keeps the upper 8."""
    return bool(image.tile) and SIXTEEN_BITS.fullmatch(_raw_mode(image)) is not None


def scale_color(image: Image.Image, reopened: ImageFile.ImageFile) -> Image.Image:
    """A loaded colour image of 16 bits, by the same rule; `reopened` is its file again, not loaded yet."""
    if max(high for _, high in image.getextrema()[:3]) >= 64:  # type: ignore[misc]  # of bands, not of one
        return image
    kind, order = SIXTEEN_BITS.fullmatch(_raw_mode(reopened)).groups()  # type: ignore[union-attr]
    other = f"{kind};16{OTHER_BYTE[order]}"
    reopened.tile = [
        tile._replace(args=other if isinstance(tile.args, str) else (other, *(tile.args or ())[1:]))
        for tile in reopened.tile
    ]
    reopened.load()
    wide = np.asarray(image).astype(np.uint16) << 8 | np.asarray(reopened)
    color, alpha = wide[..., :3], wide[..., 3:]
    return Image.fromarray(np.concatenate([_scale(part, _find_top(part)) for part in (color, alpha)], axis=-1))


def _raw_mode(image: ImageFile.ImageFile) -> str:
    args = image.tile[0].args
    return args if isinstance(args, str) else str((args or ("",))[0])


def _find_top(levels: npt.NDArray[Any]) -> float:
    brightest = float(levels.max(initial=0))
    return next((float(top) for top in TOPS if brightest <= top), brightest)


def _scale(levels: npt.NDArray[Any], top: float) -> npt.NDArray[np.uint8]:
    return np.clip(levels * (255.0 / top) + 0.5, 0, 255).astype(np.uint8)
