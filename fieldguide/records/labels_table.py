"""labels.parquet: what is known of every record without opening one, in record order.

Columns: split, photo_id, region (null where it is unknown), sha256 (of the original, 32 bytes), then the class index
at each rank of the taxonomy.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import RecordError
from fieldguide.records.features import Description
from fieldguide.records.manifest import LABELS, Manifest


def tabulate_labels(
    photo_ids: Sequence[str], digests: bytes, described: Sequence[Description], taxonomy: Taxonomy
) -> pl.DataFrame:
    """The rows of some photos, all columns but `split`; `digests` are the SHA-256 of their originals, 32 bytes each.

    Of `described` region and labels are looked at. Every label must be a class of the taxonomy.
    """
    columns: dict[str, pl.Series] = {
        "photo_id": pl.Series(photo_ids, dtype=pl.String),
        "region": pl.Series([each.region for each in described], dtype=pl.String),
    }
    columns["sha256"] = pl.Series(
        [digests[start : start + 32] for start in range(0, len(digests), 32)], dtype=pl.Binary
    )
    for rank in taxonomy.ranks:
        index = taxonomy.index(rank)
        columns[rank] = pl.Series([index[each.labels[rank]] for each in described], dtype=pl.Int32)
    return pl.DataFrame(columns)


class LabelsTable:
    """The rows of one split, column by column as they are asked for: of ten million records nobody wants all at once.

    Cheap to pickle and to open; every column is read once a process.
    """

    def __init__(self, directory: Path, manifest: Manifest, split: str) -> None:
        """Raises RecordError unless the table is the one the manifest names, with as many rows of `split`."""
        self._path = directory / LABELS
        manifest.check_table(directory, LABELS)
        # Splits stand one behind the other, so a split is a slice, and none of the others' rows are looked at.
        before = list(manifest.splits).index(split)
        self._first = sum(entry.num_records for entry in list(manifest.splits.values())[:before])
        self._num = manifest.split(split).num_records
        self._columns: dict[str, pl.Series] = {}
        found = pl.scan_parquet(self._path).select((pl.col("split") == split).sum()).collect().item()
        own = self._scan().select((pl.col("split") == split).sum()).collect().item()
        if not self._num == found == own:
            raise RecordError(f"{self._path}: {found} records of {split}, the manifest says {self._num}")

    def column(self, name: str) -> pl.Series:
        """`photo_id`, `region` or a rank, in record order."""
        if name not in self._columns:
            column = self._scan().select(name).collect()[name]
            # A handful of regions: an index each is a fraction of the text.
            self._columns[name] = column.cast(pl.Categorical) if name == "region" else column
        return self._columns[name]

    def _scan(self) -> pl.LazyFrame:
        return pl.scan_parquet(self._path).slice(self._first, self._num)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_columns": {}}


def read_digests(directory: Path, split: str) -> np.ndarray:
    """SHA-256 of the original of every record of a split, in record order: uint8 [num_records, 32]."""
    digests = pl.scan_parquet(directory / LABELS).filter(pl.col("split") == split).select("sha256").collect()["sha256"]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
