"""Pixels as CIE L*a*b*: lightness, and colour without it, which is what colourisation learns.

sRGB (IEC 61966-2-1) over CIE XYZ under D65, seen by the observer of 2 degrees, as scikit-image's `rgb2lab` has it.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

XYZ_FROM_RGB: Final = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
"""Of linear sRGB; ITU-R BT.709."""
WHITE: Final = np.array([0.95047, 1.0, 1.08883])
"""XYZ of D65."""
LINEAR_BELOW: Final = 0.008856
"""Below this share of white the cube root gives way to a line."""

_LEVELS = np.arange(256) / 255
_LINEAR: Final = np.where(_LEVELS > 0.04045, ((_LEVELS + 0.055) / 1.055) ** 2.4, _LEVELS / 12.92)
_LIGHT: Final = (_LINEAR[:, None, None] * (XYZ_FROM_RGB / WHITE[:, None]).T).astype(np.float64)
"""What each level of each channel adds to X, Y and Z, as a share of white: [256, 3 channels, 3]."""


def rgb_to_lab(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """sRGB of any shape [..., 3] as L* in [0, 100] and a*, b* in about [-128, 127]: float32 of the same shape."""
    share = sum(_LIGHT[:, channel][pixels[..., channel]] for channel in range(3))
    bent = np.where(share > LINEAR_BELOW, np.cbrt(share), 7.787 * share + 16 / 116)
    x, y, z = np.moveaxis(bent, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def scale_lab(lab: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """As a network takes it: 2 L* / 100 - 1, in [-1, 1], as [..., 1], and a*, b* over 127 as [..., 2]."""
    return lab[..., :1] / np.float32(50) - np.float32(1), lab[..., 1:] / np.float32(127)
