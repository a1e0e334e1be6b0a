"""Writes labels.parquet (labels_table.py) shard by shard, so that a table of any length takes no memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from fieldguide.files import written_whole

ROWS_AT_ONCE: Final = 1 << 17
"""Of a row group, unless a split ends before or one shard has more."""


class LabelsWriter:
    """Appends the rows of shards; equal rows in equal portions give equal bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: pq.ParquetWriter | None = None
        self._waiting: list[pl.DataFrame] = []

    def append(self, split: str, rows: pl.DataFrame) -> None:
        """Add the rows of one shard, from `tabulate_labels`."""
        if self._waiting and self._waiting[-1]["split"][0] != split:
            self.flush()
        if len(rows):
            self._waiting.append(rows.select(pl.lit(split).alias("split"), pl.all()))
        if sum(map(len, self._waiting)) >= ROWS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what waits as one row group."""
        if not self._waiting:
            return
        table = pl.concat(self._waiting).to_arrow()
        if self._file is None:
            # Statistics of the split let a reader skip the row groups of others.
            self._file = pq.ParquetWriter(
                self._path,
                table.schema,
                compression="zstd",
                use_dictionary=["split", "region"],
                write_statistics=["split"],
            )
        self._file.write_table(table, row_group_size=len(table))
        self._waiting = []

    def close(self) -> None:
        """Write the rest and the footer."""
        self.flush()
        if self._file is not None:
            self._file.close()


@contextmanager
def writing_labels(path: Path) -> Iterator[LabelsWriter]:
    """A writer of `path`, which is there, whole, when the block ends well and at least one row was appended."""
    with written_whole(path) as temporary:
        writer = LabelsWriter(temporary)
        try:
            yield writer
        finally:
            writer.close()
