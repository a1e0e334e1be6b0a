"""Numbers that tell a poor photograph from a good one, measured on the image that was decoded anyway."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from fieldguide.images.fingerprints import reduced

MEASURED_SIDE: Final = 256
"""Larger photos are first reduced to this shorter side, px: sharpness depends on the scale."""
RING_SPREAD: Final = 6
"""A border is of one colour if no channel of its pixels leaves the median by more, of 255; JPEG blurs edges."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What `measure_quality` finds."""

    sharpness: float
    """Variance of the Laplacian of the gray image, gray levels squared (Pech-Pacheco et al., ICPR 2000)."""
    brightness: float
    """Mean gray level, 0 to 255."""
    entropy: float
    """Shannon entropy of the gray levels, bits, 0 to 8."""
    border_color: str | None
    """`rrggbb` if the outermost pixels all have one colour, as frames and cut-outs do."""


def measure_quality(image: Image.Image) -> Quality:
    """The numbers of an upright RGB image. Equal images give equal numbers on every machine."""
    small = reduced(image)
    scale = MEASURED_SIDE / min(small.size)
    if scale < 1:
        small = small.resize((round(small.width * scale), round(small.height * scale)), Image.Resampling.BILINEAR)
    gray = small.convert("L")
    levels = np.asarray(gray, np.int32)
    counts = np.bincount(levels.ravel(), minlength=256)
    shares = counts[counts > 0] / levels.size
    return Quality(
        sharpness=round(_variance_of_laplacian(levels), 3),
        brightness=round(float(levels.sum()) / levels.size, 3),
        entropy=round(float(-(shares * np.log2(shares)).sum()), 3) + 0.0,
        border_color=_find_border_color(image),
    )


def _variance_of_laplacian(levels: npt.NDArray[np.int32]) -> float:
    if min(levels.shape) < 3:
        return 0.0
    center = levels[1:-1, 1:-1]
    laplacian = levels[:-2, 1:-1] + levels[2:, 1:-1] + levels[1:-1, :-2] + levels[1:-1, 2:] - 4 * center
    # In whole numbers, so that no order of summation shows.
    total, squares = int(laplacian.sum()), int((laplacian.astype(np.int64) ** 2).sum())
    return squares / laplacian.size - (total / laplacian.size) ** 2


def _find_border_color(image: Image.Image) -> str | None:
    right, bottom = image.size
    # Four strips instead of all pixels, which would first be copied.
    strips = ((0, 0, right, 1), (0, bottom - 1, right, bottom), (0, 0, 1, bottom), (right - 1, 0, right, bottom))
    ring = np.concatenate([np.asarray(image.crop(strip), np.int16).reshape(-1, 3) for strip in strips])
    median = np.median(ring, axis=0).astype(np.int16)
    if np.abs(ring - median).max() > RING_SPREAD:
        return None
    return bytes(median.astype(np.uint8).tolist()).hex()
