"""Regions turn with their pictures."""

import numpy as np
import pytest
from PIL import Image

from fieldguide.images.turning import ON_THEIR_SIDE, TURNS, turn_region


@pytest.mark.parametrize("orientation", [None, 1, *TURNS])
def test_a_region_turns_as_its_pixels_do(orientation: int | None) -> None:
    stored = np.zeros((40, 80), np.uint8)
    stored[4:10, 16:56] = 255
    image = Image.fromarray(stored)
    upright = np.asarray(image.transpose(TURNS[orientation]) if orientation in TURNS else image)
    assert upright.shape == ((80, 40) if orientation in ON_THEIR_SIDE else (40, 80))
    rows, columns = np.nonzero(upright)
    height, width = upright.shape
    left, top, right, bottom = turn_region((16 / 80, 4 / 40, 56 / 80, 10 / 40), orientation)
    found = (columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height)
    assert (left, top, right, bottom) == pytest.approx(found)
