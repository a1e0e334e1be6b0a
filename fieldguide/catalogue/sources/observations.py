"""The `observations` kind: a JSONL, CSV or Parquet table with one photo per row."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from fieldguide.catalogue.rows import Fill, Row, describe_row, locate, tidy
from fieldguide.catalogue.sources.tables import read_table
from fieldguide.errors import CatalogueError
from fieldguide.params import Section


class Columns(Section):
    """Our name for a column: the table's name for it, or null where it has none."""

    id: str | None
    """Without one, the URL is the id."""
    url: str
    observation_id: str | None
    observer: str | None
    label: str | None
    region: str | None
    licence: str | None
    rights_holder: str | None
    given_split: str | None


class ObservationsSource(Section):
    """A table of photos. URLs in it are relative to its folder, which paths may not leave."""

    kind: Literal["observations"]
    path: Path
    """.jsonl, .csv, .tsv (each also with .gz) or .parquet."""
    columns: Columns
    fill: Fill

    def rows(self) -> Iterator[Row]:
        """The table's rows in its own order."""
        mapped = {ours: theirs for ours, theirs in self.columns if theirs is not None}
        for number, where, cells in read_table(self.path, set(mapped.values())):
            url_text = tidy(cells.get(mapped["url"]), f"{where}, url")
            row_id = tidy(cells.get(mapped["id"]), f"{where}, id") if "id" in mapped else url_text
            if row_id is None or url_text is None:
                name = "url" if url_text is None else "id"
                raise CatalogueError(f"{where}: column {mapped[name]!r} is empty; expected the photo's {name}")
            url, root = locate(url_text, self.path.parent)
            described = describe_row({ours: cells.get(theirs) for ours, theirs in mapped.items()}, where)
            source_row = f"{self.path.name}:{number}"
            yield self.fill.complete(Row(id=row_id, source_row=source_row, url=url, root=root, **described))
