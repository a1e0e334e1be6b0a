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
from fieldguide.files import salted_units
from fieldguide.records.described_square import FORMATS
from fieldguide.tar import Member, group_samples, iterate_members

PLACE: Final = np.dtype(
    [
        ("order", "f8"),
        ("photo_id", "S16"),
        ("tar", "u4"),
        ("suffix", "u1"),
        ("image", "i8"),
        ("image_size", "u4"),
        ("json", "i8"),
        ("json_size", "u4"),
    ]
)
"""A photo's place in the shuffle, and of which tar its image and its description are which bytes; `suffix` counts
FORMATS."""

SORTING: Final = 4
"""Times the bytes of a bucket that sorting it takes, the bucket among them."""
MAX_BUCKETS: Final = 512
"""Open files."""
SUFFIXES: Final = tuple(FORMATS)


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


def locate_photos(tar: Path, salt: str) -> np.ndarray:
    """Where each photo of one tar lies, in tar order: PLACE [num_photos] with `tar` 0."""
    rows: list[tuple[float, bytes, int, int, int, int, int, int]] = []
    for key, members in group_samples(iterate_members(tar)):
        images = [suffix for suffix in members if suffix in FORMATS]
        if len(images) != 1 or "json" not in members or not key.isascii() or len(key) != 16:
            raise RecordError(
                f"{tar}: sample {key!r} has {', '.join(members)}; expected a 16-digit id with json and one of "
                f"{', '.join(SUFFIXES)}"
            )
        image, json = members[images[0]], members["json"]
        check_sizes(tar, image, json)
        suffix = SUFFIXES.index(images[0])
        rows.append((0.0, key.encode(), 0, suffix, image.offset, image.size, json.offset, json.size))
    places = np.array(rows, PLACE)
    places["order"] = salted_units(salt, [row[1].decode() for row in rows])
    return places


def check_sizes(tar: Path, *members: Member) -> None:
    """Raise RecordError where a member is larger than an Example may be."""
    for member in members:
        if member.size >= 1 << 31:
            raise RecordError(f"{tar}: {member.name} has {member.size} bytes; expected less than 2 GiB")


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
