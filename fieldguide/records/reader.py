"""Random access to the records of one split: no TensorFlow, no torch, one mapped file per shard."""

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.digests import remedy
from fieldguide.errors import RecordError
from fieldguide.records.example import WireError, parse_example, unframe
from fieldguide.records.features import Record, to_record
from fieldguide.records.labels_table import read_labels
from fieldguide.records.manifest import TAXONOMY, Manifest, read_index

__all__ = ["Record", "RecordSet"]


class RecordSet(Sequence[Record]):
    """The records of one split in their stored order, each checked against its crc when it is read.

    Cheap to pickle: a DataLoader worker gets the offsets and maps the shards itself.
    """

    def __init__(self, directory: Path, split: str, manifest: Manifest, taxonomy: Taxonomy) -> None:
        manifest.check_indexed_images(directory)
        entries = manifest.split(split).shards
        self.split = split
        self.style = manifest.style
        self.image_size = manifest.style.size
        self.taxonomy = taxonomy
        self._labels = read_labels(directory, manifest, split)
        self._shards = [directory / entry.file for entry in entries]
        self._num_bytes = [entry.num_bytes for entry in entries]
        tables = [read_index(shard, entry) for shard, entry in zip(self._shards, entries, strict=True)]
        self._index = np.concatenate([np.empty((0, 2), np.int64), *tables])
        self._ends = np.cumsum([len(table) for table in tables], dtype=np.int64)
        self._maps: dict[int, memoryview] = {}
        if len(self._index) != manifest.split(split).num_records:
            raise RecordError(
                f"{directory}: the shards of {split} hold {len(self._index)} records, "
                f"the manifest says {manifest.split(split).num_records}"
            )

    @classmethod
    def open(cls, directory: Path, split: str) -> "RecordSet":
        """Open `split` of a finished tfrecord folder. Raises RecordError or CatalogueError."""
        manifest = Manifest.read(directory)
        manifest.check_table(directory, TAXONOMY)
        return cls(directory, split, manifest, Taxonomy.read(directory / TAXONOMY))

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, position: int) -> Record: ...
    @overload
    def __getitem__(self, position: slice) -> list[Record]: ...
    def __getitem__(self, position: int | slice) -> Record | list[Record]:
        """The record at `position`; a slice gives a list. Raises RecordError where the bytes are damaged."""
        if isinstance(position, slice):
            return [self._read(one) for one in range(*position.indices(len(self)))]
        if not -len(self) <= position < len(self):
            raise IndexError(f"record {position} of {len(self)}")
        return self._read(position % len(self))

    @property
    def photo_ids(self) -> list[str]:
        """The photo id of every record, in order."""
        return self._labels["photo_id"].to_list()

    @property
    def regions(self) -> list[str | None]:
        """The region of every record, None where it is unknown."""
        return self._labels["region"].to_list()

    def labels(self, rank: str) -> np.ndarray:
        """Class index of every record at `rank`: int64 [num_records]."""
        return self._labels[rank].to_numpy().astype(np.int64)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": {}}

    def _read(self, position: int) -> Record:
        number = int(np.searchsorted(self._ends, position, side="right"))
        offset, length = self._index[position].tolist()
        try:
            payload = unframe(self._map(number)[offset : offset + length])
            return to_record(parse_example(payload), self.taxonomy)
        except WireError as error:
            shard = self._shards[number]
            raise RecordError(f"{shard} at byte {offset}: {error}; {remedy(shard)}") from None

    def _map(self, number: int) -> memoryview:
        if number not in self._maps:
            shard = self._shards[number]
            try:
                with shard.open("rb") as stream:
                    mapped = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
            except FileNotFoundError:
                raise RecordError(f"{shard} is missing; the manifest names it") from None
            except ValueError:
                raise RecordError(f"{shard} is empty, the manifest says {self._num_bytes[number]} bytes") from None
            if len(mapped) != self._num_bytes[number]:
                raise RecordError(f"{shard} has {len(mapped)} bytes, the manifest says {self._num_bytes[number]}")
            self._maps[number] = mapped
        return self._maps[number]
