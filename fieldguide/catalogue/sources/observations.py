"""The `observations` kind: a JSONL, CSV or Parquet table with one photo, or one list of photos, per row.

    {kind: observations, path: data/train.csv, root: data/images, columns: {url: filename, label: label}}

A key that is left out means that there is none.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from fieldguide.catalogue.rows import NO_FILL, Fill, Row
from fieldguide.catalogue.sources.columns import Columns, rows_of
from fieldguide.catalogue.sources.left_out import LeftOut
from fieldguide.catalogue.sources.tables import read_table
from fieldguide.params import Section


class ObservationsSource(Section):
    """A table of photos. Paths in it are relative to `root`, which they may not leave."""

    kind: Literal["observations"]
    """`observations`."""
    path: Path
    """.jsonl, .csv, .tsv (each also with .gz) or .parquet."""
    root: Path | None = None
    """Where paths start: a folder, an archive (.tar, .tar.gz, .zip) or a folder in one; null: beside the table."""
    columns: Columns
    """What the source calls the columns of the catalogue."""
    given_split: Literal["train", "val", "test"] | None = None
    """Of every row that names none itself, where a split is a file of its own; `split.given` can honour it."""
    explode: str | None = None
    """The column that holds a list of photos, if a row is an observation with several."""
    fill: Fill = NO_FILL
    """Values for photos about which the source itself says nothing."""

    def rows(self) -> Iterator[Row]:
        """The table's photos in its own order."""
        names = {*self.columns.mapped.values()} | ({self.explode} if self.explode else set())
        left_out = LeftOut()
        rows = rows_of(
            read_table(self.path, names, left_out),
            self.path.name,
            self.columns,
            fill=self.fill,
            folder=self.root or self.path.parent,
            left_out=left_out,
            explode=self.explode,
            given_split=self.given_split,
        )
        return left_out.report(rows, str(self.path))
