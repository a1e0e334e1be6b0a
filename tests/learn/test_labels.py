"""Which classes a network gets, and labels in its terms."""

import numpy as np
import pytest

from fieldguide.errors import TrainingError
from fieldguide.learn.choice import select_photos
from fieldguide.learn.labels import UNKNOWN, drop_rare, map_labels, select_classes
from fieldguide.records.reader import RecordSet
from tests.records.making import TAXONOMY


def test_classes_of_a_region(train: RecordSet):
    north = select_photos(train, "north")
    assert select_classes(TAXONOMY, train, north, None) == TAXONOMY.classes
    classes = select_classes(TAXONOMY, train, north, "north")
    assert classes == {"species": ["other", "Aster alpinus", "Linum album"], "genus": ["other", "Aster", "Linum"]}
    with pytest.raises(TrainingError, match="region 'moon' is unknown; expected one of north"):
        select_classes(TAXONOMY, train, north, "moon")


def test_a_region_without_a_photo_of_other_has_the_class_all_the_same(train: RecordSet):
    taxonomy = TAXONOMY.model_copy(update={"regions": {"north": ["Aster alpinus", "Linum album"]}})
    north = select_photos(train, "north")
    assert select_classes(taxonomy, train, north, "north") == select_classes(TAXONOMY, train, north, "north")


def test_labels_are_matched_by_name(train: RecordSet):
    classes = {"species": ["Linum album", "other"], "genus": ["Linum", "Aster", "foreign"]}
    labels = map_labels(train, classes, TAXONOMY.ranks)
    for row, species, genus in zip(labels, train.labels("species"), train.labels("genus"), strict=True):
        names = TAXONOMY.classes["species"][species], TAXONOMY.classes["genus"][genus]
        expected = [{"Linum album": 0, "other": 1}.get(names[0], UNKNOWN), {"Linum": 0, "Aster": 1}[names[1]]]
        assert row.tolist() == expected
    assert np.array_equal(map_labels(train, TAXONOMY.classes, ["species"])[:, 0], train.labels("species"))


@pytest.mark.parametrize(
    ("least", "species", "genera"),
    [
        ({}, ["other", "Aster alpinus", "Aster bellus", "Linum album", "Linum nudum"], ["other", "Aster", "Linum"]),
        ({"species": 9}, ["other", "Linum nudum"], ["other", "Aster", "Linum"]),
        ({"species": 8, "genus": 25}, ["other", "Aster alpinus", "Aster bellus", "Linum album", "Linum nudum"], None),
        (
            {"genus": 24},
            ["other", "Aster alpinus", "Aster bellus", "Linum album", "Linum nudum"],
            ["other", "Aster", "Linum"],
        ),
    ],
)
def test_classes_with_few_photos_go_at_their_rank_alone(
    train: RecordSet, least: dict[str, int], species: list[str], genera: list[str] | None
):
    # Of the 48 photos every sixth is of one species, a third of Linum nudum; half are of Aster.
    every = np.arange(len(train))
    if genera is None:
        with pytest.raises(
            TrainingError, match=r"min_samples\.genus is 25, but the largest of 3 classes has 24 training"
        ):
            drop_rare(TAXONOMY.classes, train, every, least)
    else:
        assert drop_rare(TAXONOMY.classes, train, every, least) == {"species": species, "genus": genera}
