"""The edges of the three bins."""

import pytest

from fieldguide.split.frequency import name_frequency
from fieldguide.split.params import FrequencyParams


@pytest.mark.parametrize(
    ("num_photos", "name"), [(0, "few"), (9, "few"), (10, "medium"), (100, "medium"), (101, "many")]
)
def test_bins(num_photos: int, name: str):
    assert name_frequency(num_photos, FrequencyParams(few_below=10, many_above=100)) == name
