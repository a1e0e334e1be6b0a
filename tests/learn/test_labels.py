"""Which photos and classes a network gets, and labels in its terms."""

import numpy as np
import pytest

from fieldguide.errors import TrainingError
from fieldguide.learn.labels import UNKNOWN, map_labels, select_classes, select_photos
from fieldguide.records.reader import RecordSet
from tests.records.making import TAXONOMY


def test_all_photos_or_those_of_a_region(train: RecordSet):
    assert select_photos(train, None, None).tolist() == list(range(48))
    assert select_photos(train, None, 5).tolist() == list(range(5))
    north = select_photos(train, "north", None)
    assert [train.regions[index] for index in north] == ["north"] * 16
    with pytest.raises(TrainingError, match="split train has no photos of region 'moon'"):
        select_photos(train, "moon", None)


def test_classes_of_a_region(train: RecordSet):
    north = select_photos(train, "north", None)
    assert select_classes(TAXONOMY, train, north, None) == TAXONOMY.classes
    classes = select_classes(TAXONOMY, train, north, "north")
    assert classes == {"species": ["other", "Aster alpinus", "Linum album"], "genus": ["other", "Aster", "Linum"]}
    with pytest.raises(TrainingError, match="region 'moon' is unknown; expected one of north"):
        select_classes(TAXONOMY, train, north, "moon")


def test_labels_are_matched_by_name(train: RecordSet):
    classes = {"species": ["Linum album", "other"], "genus": ["Linum", "Aster", "foreign"]}
    labels = map_labels(train, classes, TAXONOMY.ranks)
    for row, species, genus in zip(labels, train.labels("species"), train.labels("genus"), strict=True):
        names = TAXONOMY.classes["species"][species], TAXONOMY.classes["genus"][genus]
        expected = [{"Linum album": 0, "other": 1}.get(names[0], UNKNOWN), {"Linum": 0, "Aster": 1}[names[1]]]
        assert row.tolist() == expected
    assert np.array_equal(map_labels(train, TAXONOMY.classes, ["species"])[:, 0], train.labels("species"))
