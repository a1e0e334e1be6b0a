"""Random access to the records of one split: no TensorFlow, no torch, shards mapped into memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np
import polars as pl

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.digests import remedy
from fieldguide.errors import RecordError
from fieldguide.records.example import WireError, parse_example, unframe
from fieldguide.records.features import Record, to_record
from fieldguide.records.labels_table import LabelsTable
from fieldguide.records.manifest import TAXONOMY, Manifest, read_index
from fieldguide.records.shard_maps import ShardMaps
from fieldguide.records.skim import Photo, skim_photo

__all__ = ["Photo", "Record", "RecordSet"]


class RecordSet(Sequence[Record]):
    """The records of one split in their stored order, each checked against its crc when it is read.

    Labels and regions come from labels.parquet: ten million records are open in seconds. A forked worker shares all of
    it; pickled for another process it is the index (16 bytes a record), and columns and shards are opened there.
    """

    def __init__(self, directory: Path, split: str, manifest: Manifest, taxonomy: Taxonomy) -> None:
        manifest.check_indexed_images(directory)
        entries = manifest.split(split).shards
        self.split = split
        self.style = manifest.style
        self.image_size = manifest.style.size
        self.taxonomy = taxonomy
        self._labels = LabelsTable(directory, manifest, split)
        self._shards = ShardMaps(directory, entries)
        tables = [read_index(shard, entry) for shard, entry in zip(self._shards.paths, entries, strict=True)]
        self._index = np.concatenate([np.empty((0, 2), np.int64), *tables])
        self._ends = np.cumsum([len(table) for table in tables], dtype=np.int64)
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
            return [self._parse(*self._read(one)) for one in range(*position.indices(len(self)))]
        return self._parse(*self._read(self._within(position)))

    def read_photo(self, position: int) -> Photo:
        """Photo id, image and box of the record at `position`, in a fraction of the time that all of it takes.

        Raises RecordError where the bytes are damaged.
        """
        payload, shard, offset = self._read(self._within(position))
        photo = skim_photo(payload)
        if photo is None:
            record = self._parse(payload, shard, offset)
            photo = Photo(record.photo_id, record.image, record.box)
        return photo

    @property
    def photo_ids(self) -> list[str]:
        """The photo id of every record, in order."""
        return self.column("photo_id").to_list()

    @property
    def regions(self) -> list[str | None]:
        """The region of every record, None where it is unknown."""
        return self.column("region").to_list()

    def column(self, name: str) -> pl.Series:
        """`photo_id`, `region` (categorical, null where it is unknown) or a rank (class indices) of every record."""
        return self._labels.column(name)

    def lie_in(self, region: str) -> np.ndarray:
        """Whether each record's region is `region`: bool [num_records]."""
        return (self.column("region") == region).fill_null(value=False).to_numpy()

    def labels(self, rank: str) -> np.ndarray:
        """Class index of every record at `rank`: int64 [num_records]."""
        return self.column(rank).to_numpy().astype(np.int64)

    def _within(self, position: int) -> int:
        if not -len(self) <= position < len(self):
            raise IndexError(f"record {position} of {len(self)}")
        return position % len(self)

    def _read(self, position: int) -> tuple[bytes, Path, int]:
        """The payload, its crc checked, and where its record lies."""
        number = int(self._ends.searchsorted(position, side="right"))
        offset, length = self._index[position].tolist()
        shard = self._shards.paths[number]
        try:
            return bytes(unframe(memoryview(self._shards.read(number, offset, length)))), shard, offset
        except WireError as error:
            raise RecordError(f"{shard} at byte {offset}: {error}; {remedy(shard)}") from None

    def _parse(self, payload: bytes, shard: Path, offset: int) -> Record:
        try:
            return to_record(parse_example(memoryview(payload)), self.taxonomy)
        except WireError as error:
            raise RecordError(f"{shard} at byte {offset}: {error}; {remedy(shard)}") from None
