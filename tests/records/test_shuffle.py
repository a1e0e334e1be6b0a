"""The order is that of the hash: for any bound of memory, any number of photos, and whatever comes later."""

from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import RecordError
from fieldguide.files import salted_unit
from fieldguide.records.places import PLACE
from fieldguide.records.shuffle import MAX_BUCKETS, SORTING, Shuffle, count_buckets, sort_places
from tests.records.making import ENGINE, make_resized


def shuffled(resized: Path, num_photos: int, memory_bytes: int, salt: str = "salt") -> np.ndarray:
    tars = sorted(resized.glob("*.tar"))
    with Shuffle(tars, num_photos, salt=salt, memory_bytes=memory_bytes, folder=resized) as shuffle:
        shuffle.fill(ENGINE, "test")
        buckets = list(shuffle.buckets())
        assert len(buckets) == count_buckets(num_photos, memory_bytes)
        assert shuffle.num_photos == sum(map(len, buckets)) == num_photos
        return np.concatenate(buckets)


def test_the_bound_of_memory_does_not_change_the_order(tmp_path: Path):
    resized = make_resized(tmp_path, {"train": 40})
    largest, *others = (shuffled(resized, 40, memory) for memory in (1 << 20, 2000, 500, 1))
    for other in others:
        assert (other == largest).all()
    photo_ids = [photo_id.decode() for photo_id in largest["photo_id"]]
    assert photo_ids == sorted(photo_ids, key=lambda photo_id: salted_unit("salt", photo_id))
    assert (shuffled(resized, 40, 500, "other")["photo_id"] != largest["photo_id"]).any()
    assert [path.suffix for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_new_photos_move_no_old_ones(tmp_path: Path):
    orders = [
        shuffled(make_resized(tmp_path / str(count), {"train": count}), count, 1 << 20)["photo_id"].tolist()
        for count in (20, 30)
    ]
    before, after = orders
    assert [photo_id for photo_id in after if photo_id in set(before)] == before


@pytest.mark.parametrize(
    ("num_photos", "memory_bytes", "buckets"),
    [
        (0, 1000, 1),
        (10, 10 * PLACE.itemsize * SORTING, 1),
        (11, 10 * PLACE.itemsize * SORTING, 2),
        # A hundred million photos in half a gigabyte.
        (10**8, 512 * 10**6, 42),
        (10**8, 1, MAX_BUCKETS),
    ],
)
def test_buckets_fit_into_memory(num_photos: int, memory_bytes: int, buckets: int):
    assert count_buckets(num_photos, memory_bytes) == buckets


def test_equal_hashes_go_by_id_and_equal_ids_are_refused():
    places = np.zeros(3, PLACE)
    places["order"], places["photo_id"] = [0.5, 0.25, 0.5], [b"b", b"c", b"a"]
    assert sort_places(places)["photo_id"].tolist() == [b"c", b"a", b"b"]
    places["photo_id"][2] = b"b"
    with pytest.raises(RecordError, match=r"^photo b is in the tars twice$"):
        sort_places(places)
