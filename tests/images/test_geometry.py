"""Where a photo lies in its square: a table that web/preprocess.js must agree with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fieldguide.images.geometry import Box, Method, make_square, place


@pytest.mark.parametrize(
    ("size", "method", "source", "target"),
    [
        ((200, 100), Method.PAD, (0, 0, 200, 100), (0, 25, 100, 75)),
        ((100, 200), Method.PAD, (0, 0, 100, 200), (25, 0, 75, 100)),
        ((50, 50), Method.PAD, (0, 0, 50, 50), (0, 0, 100, 100)),
        ((1000, 1), Method.PAD, (0, 0, 1000, 1), (0, 49, 100, 50)),
        ((200, 101), Method.PAD, (0, 0, 200, 101), (0, 24, 100, 75)),
        ((200, 100), Method.CROP, (50, 0, 150, 100), (0, 0, 100, 100)),
        ((101, 200), Method.CROP, (0, 49, 101, 150), (0, 0, 100, 100)),
        ((200, 100), Method.SQUASH, (0, 0, 200, 100), (0, 0, 100, 100)),
    ],
)
def test_place(size: tuple[int, int], method: Method, source: Box, target: Box) -> None:
    placement = place(*size, 100, method)
    assert (placement.source, placement.target) == (source, target)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 512), st.sampled_from(Method))
def test_place_stays_inside(width: int, height: int, size: int, method: Method) -> None:
    placement = place(width, height, size, method)
    for (left, top, right, bottom), (right_edge, bottom_edge) in (
        (placement.source, (width, height)),
        (placement.target, (size, size)),
    ):
        assert 0 <= left < right <= right_edge
        assert 0 <= top < bottom <= bottom_edge


def test_padding_has_its_colour_and_the_photo_its_place() -> None:
    square, box = make_square(Image.new("RGB", (60, 30), (200, 0, 0)), 40, Method.PAD, (1, 2, 3))
    pixels = np.asarray(square)
    left, top, right, bottom = box
    assert (pixels[top:bottom, left:right] == (200, 0, 0)).all()
    outside = np.ones((40, 40), dtype=bool)
    outside[top:bottom, left:right] = False
    assert (pixels[outside] == (1, 2, 3)).all()
