"""Numbers that tell a poor photograph from a good one, measured on the image that was decoded anyway.

Each is one row of QUALITY; tables, verdicts and docs/formats.md take names, types and order from there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from PIL import Image

from fieldguide.images.fingerprints import reduced

MEASURED_SIDE: Final = 256
"""Larger photos are first reduced to this shorter side, px: sharpness depends on the scale."""
RING_SPREAD: Final = 6
"""A border is of one colour if no channel of its pixels leaves the median by more, of 255; JPEG blurs edges."""


@dataclass(frozen=True)
class View:
    """What is measured: an upright RGB image, and its gray levels once it is no larger than MEASURED_SIDE."""

    image: Image.Image
    levels: npt.NDArray[np.int32]
    """[height, width], 0 to 255."""


def _sharpness(view: View) -> float:
    """Pech-Pacheco et al., ICPR 2000."""
    levels = view.levels
    if min(levels.shape) < 3:
        return 0.0
    center = levels[1:-1, 1:-1]
    laplacian = levels[:-2, 1:-1] + levels[2:, 1:-1] + levels[1:-1, :-2] + levels[1:-1, 2:] - 4 * center
    # In whole numbers, so that the order of summation does not matter.
    total, squares = int(laplacian.sum()), int((laplacian.astype(np.int64) ** 2).sum())
    return round(squares / laplacian.size - (total / laplacian.size) ** 2, 3)


def _brightness(view: View) -> float:
    return round(float(view.levels.sum()) / view.levels.size, 3)


def _entropy(view: View) -> float:
    counts = np.bincount(view.levels.ravel(), minlength=256)
    shares = counts[counts > 0] / view.levels.size
    # Plus zero: the entropy of one level would be -0.0.
    return round(float(-(shares * np.log2(shares)).sum()), 3) + 0.0


def _border_color(view: View) -> str | None:
    right, bottom = view.image.size
    # Four strips instead of all pixels, which would first be copied.
    strips = ((0, 0, right, 1), (0, bottom - 1, right, bottom), (0, 0, 1, bottom), (right - 1, 0, right, bottom))
    ring = np.concatenate([np.asarray(view.image.crop(strip), np.int16).reshape(-1, 3) for strip in strips])
    median = np.median(ring, axis=0).astype(np.int16)
    if np.abs(ring - median).max() > RING_SPREAD:
        return None
    return bytes(median.astype(np.uint8).tolist()).hex()


@dataclass(frozen=True)
class Fact:
    """One thing that is measured of every usable photo: a column of verdicts.parquet."""

    name: str
    dtype: type[pl.DataType]
    meaning: str
    """For people, with its unit."""
    measure: Callable[[View], float | str | None]


QUALITY: Final = (
    Fact("sharpness", pl.Float32, "variance of the Laplacian at 256 px, gray levels squared", _sharpness),
    Fact("brightness", pl.Float32, "mean gray level, 0 to 255", _brightness),
    Fact("entropy", pl.Float32, "Shannon entropy of the gray levels, bits, 0 to 8", _entropy),
    Fact("border_color", pl.String, "`rrggbb` if all pixels of the border have one colour, else null", _border_color),
)


def measure_quality(image: Image.Image) -> dict[str, float | str | None]:
    """Every fact of QUALITY about an upright RGB image. Equal images give equal numbers on every machine."""
    small = reduced(image)
    scale = MEASURED_SIDE / min(small.size)
    if scale < 1:
        small = small.resize((round(small.width * scale), round(small.height * scale)), Image.Resampling.BILINEAR)
    view = View(image, np.asarray(small.convert("L"), np.int32))
    return {fact.name: fact.measure(view) for fact in QUALITY}
