"""Boxes on photos: the right part, whatever became of the photo since the box was drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.images.geometry import Box
from fieldguide.images.subject import Subject, find_subject

WIDE = (400, 200)


@pytest.mark.parametrize(
    ("drawn", "size", "orientation", "pixels"),
    [
        ((40, 20, 140, 60), WIDE, None, (40, 20, 140, 60)),  # of the photo as it came
        ((40, 20, 140, 60, 400, 200), WIDE, None, (40, 20, 140, 60)),
        ((40, 20, 140, 60, 400, 200), (200, 100), None, (20, 10, 70, 30)),  # shrunk since
        ((40, 20, 140, 60, 400, 200), (133, 67), None, (13, 6, 47, 21)),  # shrunk to sizes that were rounded
        ((40.5, 20, 140.2, 60), WIDE, None, (40, 20, 141, 60)),
        ((-40, -20, 40, 60), WIDE, None, (0, 0, 40, 60)),  # clipped
        ((300, 100, 900, 900), WIDE, None, (300, 100, 400, 200)),
        ((0, 0, 0.2, 0.2), WIDE, None, (0, 0, 1, 1)),
        # Drawn on what is seen, which the camera stored on its side.
        ((40, 20, 140, 60, 400, 200), WIDE, 6, (40, 20, 140, 60)),
        # Drawn on what the camera stored: 200 x 400 px.
        ((20, 40, 60, 140, 200, 400), WIDE, 6, (260, 20, 360, 60)),
        ((20, 40, 60, 140, 200, 400), WIDE, 8, (40, 140, 140, 180)),
        ((20, 40, 60, 140, 200, 400), WIDE, 5, (40, 20, 140, 60)),
        ((20, 40, 60, 140, 200, 400), WIDE, 7, (260, 140, 360, 180)),
        ((10, 20, 30, 70, 100, 200), WIDE, 6, (260, 20, 360, 60)),  # and on a smaller copy of it
        # Turned upright since, nobody knows which way.
        ((20, 40, 60, 140, 200, 400), WIDE, None, None),
        ((20, 40, 60, 140, 200, 400), WIDE, 3, None),
        ((40, 20, 140, 60, 400, 300), WIDE, None, None),  # another picture
        ((500, 20, 600, 60), WIDE, None, None),
        ((-90, 20, -10, 60), WIDE, None, None),
        ((), WIDE, None, None),
        ((1, 2, 3), WIDE, None, None),
    ],
)
def test_find_subject(
    drawn: tuple[float, ...], size: tuple[int, int], orientation: int | None, pixels: Box | None
) -> None:
    subject = find_subject(drawn, size, orientation)
    assert (subject and subject.in_pixels(*size)) == pixels


@pytest.mark.parametrize(
    ("subject", "margin", "part"),
    [
        (Subject(0.25, 0.25, 0.5, 0.75), 0.0, (100, 50, 200, 150)),
        (Subject(0.25, 0.25, 0.5, 0.5), 0.0, (100, 25, 200, 125)),  # a square around a wide box
        (Subject(0.25, 0.25, 0.5, 0.75), 0.1, (90, 40, 210, 160)),
        (Subject(0.0, 0.0, 0.25, 0.5), 0.1, (0, 0, 120, 120)),  # moved into the photo
        (Subject(0.75, 0.5, 1.0, 1.0), 0.1, (280, 80, 400, 200)),
        (Subject(0.0, 0.0, 1.0, 1.0), 0.5, (0, 0, 400, 200)),  # no square has room
        (Subject(0.5, 0.0, 1.0, 0.5), 0.25, (100, 0, 400, 200)),
    ],
)
def test_around(subject: Subject, margin: float, part: Box) -> None:
    assert subject.around(*WIDE, margin) == part


SHARES = st.floats(0, 1)


@given(st.tuples(SHARES, SHARES, SHARES, SHARES), st.integers(1, 3000), st.integers(1, 3000), st.floats(0, 2))
def test_parts_lie_in_the_photo(shares: tuple[float, ...], width: int, height: int, margin: float) -> None:
    (left, right), (top, bottom) = sorted(shares[:2]), sorted(shares[2:])
    if left == right or top == bottom:
        return
    subject = Subject(left, top, right, bottom)
    for found in (subject.in_pixels(width, height), subject.around(width, height, margin)):
        assert 0 <= found[0] < found[2] <= width
        assert 0 <= found[1] < found[3] <= height
