"""Where a photo lies in its square: a table that web/preprocess.js must agree with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.images.geometry import UNBOXED, Box, Layout, Method, place, place_part

WHOLE = (0, 0, 100, 100)


@pytest.mark.parametrize(
    ("size", "method", "source", "target"),
    [
        ((200, 100), Method.PAD, (0, 0, 200, 100), (0, 25, 100, 75)),
        ((100, 200), Method.PAD, (0, 0, 100, 200), (25, 0, 75, 100)),
        ((50, 50), Method.PAD, (0, 0, 50, 50), WHOLE),
        ((1000, 1), Method.PAD, (0, 0, 1000, 1), (0, 49, 100, 50)),
        ((200, 101), Method.PAD, (0, 0, 200, 101), (0, 24, 100, 75)),
        ((200, 100), Method.CROP, (50, 0, 150, 100), WHOLE),
        ((101, 200), Method.CROP, (0, 49, 101, 150), WHOLE),
        ((200, 100), Method.SQUASH, (0, 0, 200, 100), WHOLE),
    ],
)
def test_place(size: tuple[int, int], method: Method, source: Box, target: Box) -> None:
    placement = place(*size, Layout(100, method))
    assert (placement.source, placement.target) == (source, target)


@pytest.mark.parametrize(
    ("size", "method", "source", "target"),
    [
        ((40, 20), Method.PAD, (0, 0, 40, 20), (30, 40, 70, 60)),
        ((41, 21), Method.PAD, (0, 0, 41, 21), (29, 39, 70, 60)),
        ((100, 20), Method.PAD, (0, 0, 100, 20), (0, 40, 100, 60)),
        ((200, 20), Method.PAD, (0, 0, 200, 20), (0, 45, 100, 55)),
        ((40, 20), Method.CROP, (10, 0, 30, 20), (40, 40, 60, 60)),
        ((200, 150), Method.CROP, (25, 0, 175, 150), WHOLE),
        ((40, 20), Method.SQUASH, (0, 0, 40, 20), (30, 40, 70, 60)),
        ((400, 20), Method.SQUASH, (0, 0, 400, 20), (0, 40, 100, 60)),
        ((400, 200), Method.SQUASH, (0, 0, 400, 200), WHOLE),
    ],
)
def test_small_photos_may_stay_small(size: tuple[int, int], method: Method, source: Box, target: Box) -> None:
    placement = place(*size, Layout(100, method, upscale=False))
    assert (placement.source, placement.target) == (source, target)


@pytest.mark.parametrize(
    ("part", "upscale", "target"),
    [
        ((10, 10, 60, 60), True, WHOLE),
        ((10, 10, 60, 35), True, (0, 25, 100, 75)),
        ((10, 10, 60, 35), False, (25, 37, 75, 62)),
    ],
)
@pytest.mark.parametrize("fallback", UNBOXED)
def test_a_part_is_seen_whole(part: Box, upscale: bool, target: Box, fallback: Method) -> None:
    placement = place_part(part, Layout(100, fallback, upscale))
    assert (placement.source, placement.target) == (part, target)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 512), st.sampled_from(UNBOXED), st.booleans())
def test_place_stays_inside(width: int, height: int, size: int, method: Method, upscale: bool) -> None:
    placement = place(width, height, Layout(size, method, upscale))
    for (left, top, right, bottom), (right_edge, bottom_edge) in (
        (placement.source, (width, height)),
        (placement.target, (size, size)),
    ):
        assert 0 <= left < right <= right_edge
        assert 0 <= top < bottom <= bottom_edge
    if not upscale:
        (left, top, right, bottom), source = placement.target, placement.source
        assert right - left <= source[2] - source[0]
        assert bottom - top <= source[3] - source[1]
