"""The order of the records: that of a salted hash of their ids, for any number of photos in bounded memory.

A photo's place is 53 bytes: its hash, its id, and where its members lie in which tar. Places are dealt into buckets,
each a part of the range of hashes and so small that it can be sorted in memory; one bucket after the other is the order
of all (a distribution sort; Knuth, The Art of Computer Programming, volume 3). As the hash alone says where a photo
stands, the order is the same for every number of buckets, and a new photo moves no other.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, Final

import numpy as np

from fieldguide.engine import EngineParams, map_shards
from fieldguide.errors import RecordError
from fieldguide.records.places import PLACE, locate_photos

SORTING: Final = 4
"""Times the bytes of a bucket that sorting it takes, the bucket among them."""
MAX_BUCKETS: Final = 512
"""Open files."""


class Shuffle:
    """The photos of some tars in their order, bucket by bucket.

    with Shuffle(tars, 1_000_000, salt="a", memory_bytes=1 << 28, folder=out) as shuffle:
        shuffle.fill(engine, "index train")
        for places in shuffle.buckets(): ...
    """

    def __init__(self, tars: list[Path], num_photos: int, *, salt: str, memory_bytes: int, folder: Path) -> None:
        self.tars = tars
        self._salt = salt
        self._folder = folder
        self._num_buckets = count_buckets(num_photos, memory_bytes)
        self._stack = ExitStack()
        self._files: list[IO[bytes]] = []
        self.num_photos = 0
        self.num_image_bytes = 0
        """Of all photos together, as they are encoded."""

    def __enter__(self) -> "Shuffle":
        for _ in range(self._num_buckets):
            # Without a name, so that a kill leaves nothing.
            self._files.append(self._stack.enter_context(tempfile.TemporaryFile(dir=self._folder)))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def fill(self, engine: EngineParams, label: str) -> None:
        """Find every photo. Raises RecordError where a tar is not what the resize stage writes."""
        locate = partial(locate_photos, salt=self._salt)
        for number, places in enumerate(map_shards(locate, self.tars, engine, label)):
            places["tar"] = number
            self.num_photos += len(places)
            self.num_image_bytes += int(places["image_size"].sum(dtype=np.int64))
            buckets = (places["order"] * self._num_buckets).astype(np.int64)
            for bucket in np.unique(buckets):
                self._files[bucket].write(places[buckets == bucket].tobytes())

    def buckets(self) -> Iterator[np.ndarray]:
        """PLACE [n], ascending; all of one bucket before those of the next.

        Raises RecordError where a photo is in the tars twice.
        """
        for file in self._files:
            file.seek(0)
            yield sort_places(np.frombuffer(file.read(), PLACE))


def count_buckets(num_photos: int, memory_bytes: int) -> int:
    """How many buckets it takes so that each can be sorted in `memory_bytes`, as far as files can be open at once."""
    return min(MAX_BUCKETS, max(1, -(-num_photos * PLACE.itemsize * SORTING // memory_bytes)))


def sort_places(places: np.ndarray) -> np.ndarray:
    """`places` in their order; equal hashes by id. Raises RecordError where a photo is there twice."""
    rows = np.argsort(places["order"], kind="stable")
    order = places["order"][rows]
    if (order[1:] == order[:-1]).any():
        rows = np.lexsort((places["photo_id"], places["order"]))
    places = places[rows]
    twice = places["photo_id"][1:] == places["photo_id"][:-1]
    if twice.any():
        raise RecordError(f"photo {places['photo_id'][1:][twice][0].decode()} is in the tars twice")
    return places
