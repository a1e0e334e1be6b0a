"""The `inat_open_data` kind: the tables of the iNaturalist Open Data set (photos, observations, taxa, observers).

Tab-separated and unquoted. Observations, taxa and observers go into a temporary SQLite file, so that the join costs
disk and not memory; then photos stream past.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from fieldguide.catalogue.rows import NO_FILL, Fill, Row, describe_row, tidy
from fieldguide.catalogue.sources.joining import Keyed, store_once, temporary_database
from fieldguide.catalogue.sources.left_out import BAD_ROW, LeftOut
from fieldguide.catalogue.sources.reading import open_bytes, reading
from fieldguide.catalogue.sources.tables import read_unquoted
from fieldguide.catalogue.taxa import Taxon, describe_lineage
from fieldguide.errors import CatalogueError
from fieldguide.params import Section

TABLES = {
    "observations": ("observation_uuid", "latitude", "longitude", "taxon_id", "quality_grade", "observed_on"),
    "taxa": ("taxon_id", "ancestry", "rank", "name"),
    "observers": ("observer_id", "login", "name"),
    "photos": ("photo_id", "observation_uuid", "observer_id", "extension", "license"),
}
"""The columns that are read of each."""
OBSERVED = ", ".join(TABLES["observations"][1:])


class InatOpenDataSource(Section):
    """The four tables and what is wanted of them."""

    kind: Literal["inat_open_data"]
    """`inat_open_data`."""
    path: Path
    """The folder that holds `photos.csv.gz` and the others, or the same without .gz."""
    base_url: str
    """`https://inaturalist-open-data.s3.amazonaws.com`; photos are asked for below it."""
    size: Literal["original", "large", "medium", "small", "thumb", "square"]
    """The longer side of the photos is at most 2048, 1024, 500, 240, 100 px; `square` is 75 x 75 px."""
    quality_grades: tuple[Literal["research", "needs_id", "casual"], ...]
    """Of the observations whose photos are taken."""
    rank: str
    """What a label is: `species` names every photo by the species it belongs to and leaves out what is known less
    well."""
    fill: Fill = NO_FILL
    """Values for photos about which the source itself says nothing."""

    def rows(self) -> Iterator[Row]:
        """The photos in the order of their table. What is left out is counted in the log."""
        left_out = LeftOut()
        return left_out.report(self._photos(left_out), str(self._path("photos")))

    def _photos(self, left_out: LeftOut) -> Iterator[Row]:
        with temporary_database() as database:
            for table in ("taxa", "observers", "observations"):
                self._store(table, database, left_out)
            labels: dict[str, str | None] = {}
            for number, where, cells in self._cells("photos", left_out):
                found = database.execute(
                    f"SELECT {OBSERVED} FROM observations WHERE observation_uuid = ?",
                    (cells["observation_uuid"],),
                ).fetchone()
                if found is None:
                    left_out.note("photo without an observation", where)
                    continue
                latitude, longitude, taxon_id, quality_grade, observed_on = found
                if quality_grade not in self.quality_grades:
                    left_out.note(f"photo of quality grade {quality_grade}", where)
                    continue
                if taxon_id not in labels:
                    labels[taxon_id] = self._ranks(taxon_id, database).get(self.rank)
                if labels[taxon_id] is None:
                    left_out.note(f"photo not known to {self.rank}", where)
                    continue
                if not cells["photo_id"] or not cells["extension"]:
                    left_out.note("photo without an id or an extension, of which its address is made", where)
                    continue
                described = {
                    "observation_id": cells["observation_uuid"],
                    "observer": cells["observer_id"],
                    "label": labels[taxon_id],
                    "latitude": latitude,
                    "longitude": longitude,
                    "date": observed_on,
                    "licence": cells["license"],
                    "rights_holder": _name_observer(cells["observer_id"], database),
                }
                try:
                    known = describe_row(described, where)
                except CatalogueError as error:
                    left_out.note(BAD_ROW, error)
                    continue
                yield self.fill.complete(
                    Row(
                        # One photo may illustrate several observations.
                        id=f"{cells['photo_id']}/{cells['observation_uuid']}",
                        source_row=f"{self._path('photos').name}:{number}",
                        url=f"{self.base_url.rstrip('/')}/photos/{cells['photo_id']}/{self.size}.{cells['extension']}",
                        root=None,
                        **known,
                    )
                )

    def taxa(self) -> Iterator[Taxon]:
        """Every taxon of `rank`, used or not."""
        with temporary_database() as database:
            self._store("taxa", database, LeftOut())
            for taxon_id, name in database.execute("SELECT taxon_id, name FROM taxa WHERE rank = ?", (self.rank,)):
                where = f"{self._path('taxa')}, taxon {taxon_id}"
                label = tidy(name, where)
                if label is not None:
                    yield Taxon(name=label, lineage=describe_lineage(self._ranks(taxon_id, database), where))

    def _path(self, table: str) -> Path:
        packed = self.path / f"{table}.csv.gz"
        return packed if packed.exists() else self.path / f"{table}.csv"

    def _cells(self, table: str, left_out: LeftOut) -> Iterator[tuple[int, str, dict[str, str | None]]]:
        path = self._path(table)
        with reading(str(path)), open_bytes(path) as stream:
            for number, where, cells in read_unquoted(stream, path, TABLES[table], left_out):
                # The tables hold the word None where there is nothing.
                yield number, where, {name: None if cell == "None" else cell for name, cell in cells.items()}

    def _store(self, table: str, database: sqlite3.Connection, left_out: LeftOut) -> None:
        store_once(database, table, TABLES[table], self._keyed(table, left_out), str(self._path(table)))

    def _keyed(self, table: str, left_out: LeftOut) -> Iterator[Keyed]:
        key = TABLES[table][0]
        for number, where, cells in self._cells(table, left_out):
            if cells[key] is None:
                left_out.note(BAD_ROW, f"{where}: {key} is empty")
            else:
                yield number, tuple(cells.values())

    def _ranks(self, taxon_id: str | None, database: sqlite3.Connection) -> dict[str, str]:
        """The names of a taxon and of its ancestors by rank."""
        ranks: dict[str, str] = {}
        found = database.execute("SELECT ancestry, rank, name FROM taxa WHERE taxon_id = ?", (taxon_id,)).fetchone()
        if found is None:
            return ranks
        ancestry, rank, name = found
        ancestors: Iterable[Any] = (
            database.execute("SELECT rank, name FROM taxa WHERE taxon_id = ?", (ancestor,)).fetchone()
            for ancestor in (ancestry or "").split("/")
        )
        return {**dict(filter(None, ancestors)), rank: name}


def _name_observer(observer_id: str | None, database: sqlite3.Connection) -> str | None:
    found = database.execute("SELECT login, name FROM observers WHERE observer_id = ?", (observer_id,)).fetchone()
    if found is None:
        return None
    login, name = found
    return name or login
