"""The `observations` kind: a JSONL, CSV or Parquet table with one photo, or one list of photos, per row."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from fieldguide.catalogue.rows import Fill, Row
from fieldguide.catalogue.sources.columns import Columns, rows_of
from fieldguide.catalogue.sources.tables import read_table
from fieldguide.params import Section


class ObservationsSource(Section):
    """A table of photos. Paths in it are relative to `root`, which they may not leave."""

    kind: Literal["observations"]
    """`observations`."""
    path: Path
    """.jsonl, .csv, .tsv (each also with .gz) or .parquet."""
    root: Path | None
    """Where paths start: a folder, an archive (.tar, .tar.gz, .zip) or a folder in one; null: beside the table."""
    columns: Columns
    """What the source calls the columns of the catalogue."""
    explode: str | None
    """The column that holds a list of photos, if a row is an observation with several."""
    fill: Fill
    """Values for photos about which the source itself says nothing."""

    def rows(self) -> Iterator[Row]:
        """The table's photos in its own order."""
        names = {*self.columns.mapped.values()} | ({self.explode} if self.explode else set())
        records = read_table(self.path, names)
        return rows_of(records, self.path.name, self.columns, self.explode, self.fill, self.root or self.path.parent)
