"""Our L*a*b* beside scikit-image's."""

import numpy as np
import pytest
from skimage.color import rgb2lab

from fieldguide.images.lab import rgb_to_lab, scale_lab

NOISE = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
# All grey levels, and each channel alone: the line near black, white and the primary colours among them.
EDGES = np.concatenate(
    [np.repeat(np.arange(256)[:, None], 3, 1), *(np.arange(256)[:, None] * row for row in np.eye(3))]
)


@pytest.mark.parametrize("pixels", [NOISE, EDGES[None].astype(np.uint8)], ids=["noise", "edges"])
def test_is_that_of_skimage(pixels: np.ndarray):
    ours, theirs = rgb_to_lab(pixels), rgb2lab(pixels)
    assert (ours.dtype, ours.shape) == (np.float32, pixels.shape)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)


def test_scaled_for_a_network():
    lightness, colour = scale_lab(rgb_to_lab(NOISE))
    theirs = rgb2lab(NOISE)
    np.testing.assert_allclose(lightness, 2 * theirs[..., :1] / 100 - 1, rtol=0, atol=1e-6)
    np.testing.assert_allclose(colour, theirs[..., 1:] / 127, rtol=0, atol=1e-6)
    assert lightness.dtype == colour.dtype == np.float32
