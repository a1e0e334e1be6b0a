"""Places are coarse and dates are sure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.catalogue.where_when import coarsen, read_date


@pytest.mark.parametrize(
    ("place", "size", "centre"),
    [
        ((48.2, 16.4), 1, (48.5, 16.5)),
        ((-0.1, -0.1), 1, (-0.5, -0.5)),
        ((0, 0), 0.5, (0.25, 0.25)),
        ((90, 180), 1, (89.5, -179.5)),
        ((-90, -180), 10, (-85, -175)),
        ((89, 179), 7, (87.5, 178.5)),  # the last cells are 5 degrees high and 3 wide
        ((48.2, 200), 1, (48.5, -159.5)),
        ((48.2, 16.4), 180, (0, 90)),
    ],
)
def test_a_place_is_the_centre_of_its_cell(
    place: tuple[float, float], size: float, centre: tuple[float, float]
) -> None:
    assert coarsen(*place, size) == pytest.approx(centre)


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(0.01, 30))
def test_a_cell_is_as_wide_as_asked_and_is_its_own(latitude: float, longitude: float, size: float) -> None:
    found = coarsen(latitude, longitude, size)
    assert abs(found[0] - latitude) <= size / 2 + 1e-5
    across = abs(found[1] - longitude)
    assert min(across, 360 - across) <= size / 2 + 1e-5
    assert coarsen(*found, size) == pytest.approx(found, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2019-05-12", "2019-05-12"),
        ("2019-05-12T14:30:00Z", "2019-05-12"),
        ("2019-05-12 14:30:00+02:00", "2019-05-12"),
        ("2019:05:12 14:30:00", "2019-05-12"),  # Exif
        ("2019-5-2", "2019-05-02"),
        ("2019-05", "2019-05"),
        ("2019", "2019"),
        ("2019-05-12/2019-05-14", "2019-05"),
        ("2019-05-12/2019-06-02", "2019"),
        ("2019/2020", None),
        ("2019-13-01", "2019"),
        ("2019-02-31", "2019-02"),
        ("0000-00-00", None),
        ("2019/05/12", "2019-05-12"),
        ("05/12/2019", None),
        ("12. Mai 2019", None),
        ("20190512", None),
        ("", None),
    ],
)
def test_a_date_says_what_is_sure(text: str, date: str | None) -> None:
    assert read_date(text) == date
