"""The edges of the three bins."""

import pytest

from fieldguide.catalogue.frequency import FrequencyParams, name_frequency


@pytest.mark.parametrize(("num_photos", "name"), [(0, "few"), (9, "few"), (10, "some"), (100, "some"), (101, "many")])
def test_bins(num_photos: int, name: str):
    assert name_frequency(num_photos, FrequencyParams(few_below=10, many_above=100)) == name
