"""Where the original of every training photo is, looked up in the catalogue by photo id and held to its digest."""

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from fieldguide.catalogue.boxes import DrawnBox
from fieldguide.fetch.reading import Location, Originals, Wanted
from fieldguide.records.labels_table import read_digests
from fieldguide.records.reader import RecordSet
from fieldguide.system_errors import required

COLUMNS = ("photo_id", "sha256", "shard", "offset", "num_bytes", "box")


class OriginalPlaces:
    """Places of the originals of `records`, by record index, in arrays that forked processes share."""

    def __init__(self, records: RecordSet, tfrecord: Path, fetch: Path, num_readers: int = 1) -> None:
        """`num_readers` processes read at once. Raises RecordError where the catalogue is missing."""
        catalogue, originals = required(fetch / "catalogue.parquet", "fetch"), Originals(fetch, num_readers)
        columns = [*COLUMNS, "url"] if originals.stream else list(COLUMNS)
        rows = pl.DataFrame({"photo_id": records.photo_ids}).join(
            pl.read_parquet(catalogue, columns=columns), on="photo_id", how="left", maintain_order="left"
        )
        self._originals = originals
        self._digests = read_digests(tfrecord, records.split)
        found = [bytes.fromhex(digest) if digest else b"" for digest in rows["sha256"]]
        is_same = np.array([one == two.tobytes() for one, two in zip(found, self._digests, strict=True)], bool)
        is_there = rows["shard"].is_not_null().to_numpy()
        self._reasons = np.where(is_same & is_there, "", np.where(is_there, "changed", "unknown"))
        self._shards, self._shard_names = _encode(rows["shard"])
        self._offsets = rows["offset"].fill_null(0).to_numpy()
        self._num_bytes = rows["num_bytes"].fill_null(0).to_numpy()
        # Arrow and not polars, whose threads do not survive a fork.
        self._boxes: pa.ChunkedArray = rows.select("box").to_arrow()["box"]
        self._urls: pa.ChunkedArray | None = rows.select("url").to_arrow()["url"] if originals.stream else None

    def why_not(self, index: int) -> str | None:
        """Why there is no sense in reading a photo, a word of `skipped.REASONS`; None where there is."""
        return str(self._reasons[index]) or None

    def box_of(self, index: int) -> DrawnBox | None:
        """The box that the source draws around the subject."""
        box = self._boxes[index].as_py()
        return None if box is None else tuple(box)

    def read(self, indices: Collection[int]) -> dict[int, bytes | str]:
        """The bytes of each original, or why they cannot be had. Raises RecordError where fetch's shard is damaged."""
        # Of originals that are kept, neighbours are read from one file.
        ordered = sorted(indices, key=lambda index: (self._shards[index], self._offsets[index]))
        contents: dict[int, bytes | str] = {}
        for index, content in zip(ordered, self._contents(ordered), strict=True):
            if content is None:
                contents[index] = "out_of_reach"
            else:
                is_same = hashlib.sha256(content).digest() == self._digests[index].tobytes()
                contents[index] = content if is_same else "changed"
        return contents

    def _contents(self, indices: Sequence[int]) -> list[bytes | None]:
        if self._urls is not None:
            wanted = [Wanted(self._urls[index].as_py(), self._digests[index].tobytes().hex()) for index in indices]
            return self._originals.ask(wanted)
        places = [
            Location(self._shard_names[self._shards[index]], int(self._offsets[index]), int(self._num_bytes[index]))
            for index in indices
        ]
        return list(self._originals.read(places))


def _encode(names: pl.Series) -> tuple[np.ndarray, list[str]]:
    """Numbers in the place of names, int32 [len(names)], and the names; -1 for none."""
    known = names.drop_nulls().unique().sort().to_list()
    numbers = {name: number for number, name in enumerate(known)}
    return np.array([numbers.get(name, -1) for name in names], np.int32), known
