"""The map is the same every time, within its frame, and keeps apart what is apart."""

import numpy as np
import pytest

from fieldguide.review.mapping import NUM_STYLES, place_photos, style_classes
from fieldguide.review.review import choose_rows
from fieldguide.review.suspects import Suspect
from tests.review.making import make_examined


def test_what_is_alike_lies_side_by_side_every_time():
    photos, _ = make_examined(num=60, num_wrong=0, spread=0.2)
    places = place_photos(photos.features)
    assert places.shape == (60, 2)
    assert (places.min(), places.max()) == (0, 1)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(60)
    assert (photos.labels[distances.argmin(axis=1)] == photos.labels).mean() > 0.95
    np.testing.assert_array_equal(place_photos(photos.features), places)


@pytest.mark.parametrize("num", [0, 1, 2, 3, 5])
def test_few_photos_have_places_too(num: int):
    places = place_photos(np.eye(8, dtype=np.float32)[:num])
    assert places.shape == (num, 2)
    assert np.isfinite(places).all()


def test_the_most_frequent_classes_have_a_look_of_their_own():
    names = [f"s{number:02d}" for number in range(NUM_STYLES + 3)]
    styles = style_classes([*names, *names[-2:], *["other"] * 9])
    assert list(styles)[:3] == [names[-2], names[-1], "s00"]
    assert len(set(styles.values())) == len(styles) == NUM_STYLES
    assert "other" not in styles


def test_suspects_are_on_the_map_first():
    photos, _ = make_examined()
    suspects = [Suspect(row, "outlier", None, 4.0) for row in (3, 100, 239)]
    rows = choose_rows(photos, suspects, 10).tolist()
    assert rows == sorted(rows)
    assert len(rows) == 10
    assert {3, 100, 239} <= set(rows)
    assert choose_rows(photos, suspects, 1000).tolist() == list(range(240))
