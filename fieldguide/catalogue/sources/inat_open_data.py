"""The `inat_open_data` kind: the tables of the iNaturalist Open Data set (photos, observations, taxa, observers).

Tab-separated and unquoted. Observations, taxa and observers go into a temporary SQLite file, so that the join costs
disk and not memory; then photos stream past.
"""

import logging
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from fieldguide.catalogue.rows import Fill, Row, describe_row, tidy
from fieldguide.catalogue.sources.tables import open_bytes, read_unquoted
from fieldguide.catalogue.taxa import Taxon, describe_lineage
from fieldguide.errors import CatalogueError
from fieldguide.params import Section

log = logging.getLogger(__name__)

TABLES = {
    "observations": ("observation_uuid", "latitude", "longitude", "taxon_id", "quality_grade"),
    "taxa": ("taxon_id", "ancestry", "rank", "name"),
    "observers": ("observer_id", "login", "name"),
    "photos": ("photo_id", "observation_uuid", "observer_id", "extension", "license"),
}
"""The columns that are read of each."""


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
    fill: Fill
    """Values for photos about which the source itself says nothing."""

    def rows(self) -> Iterator[Row]:
        """The photos in the order of their table. What is left out is counted in the log."""
        left_out: Counter[str] = Counter()
        num_rows = 0
        path = self._path("photos")
        with (
            tempfile.TemporaryDirectory(prefix="fieldguide-") as folder,
            closing(sqlite3.connect(Path(folder) / "tables.sqlite")) as database,
        ):
            for table in ("taxa", "observers", "observations"):
                self._store(table, database)
            labels: dict[str, str | None] = {}
            for number, where, cells in self._cells("photos"):
                found = database.execute(
                    "SELECT * FROM observations WHERE observation_uuid = ?", (cells["observation_uuid"],)
                ).fetchone()
                if found is None:
                    left_out["without an observation"] += 1
                    continue
                _, latitude, longitude, taxon_id, quality_grade = found
                if quality_grade not in self.quality_grades:
                    left_out[f"of quality grade {quality_grade}"] += 1
                    continue
                if taxon_id not in labels:
                    labels[taxon_id] = self._ranks(taxon_id, database).get(self.rank)
                if labels[taxon_id] is None:
                    left_out[f"not known to {self.rank}"] += 1
                    continue
                num_rows += 1
                described = {
                    "observation_id": cells["observation_uuid"],
                    "observer": cells["observer_id"],
                    "label": labels[taxon_id],
                    "latitude": latitude,
                    "longitude": longitude,
                    "licence": cells["license"],
                    "rights_holder": _name_observer(cells["observer_id"], database),
                }
                yield self.fill.complete(
                    Row(
                        # One photo may illustrate several observations.
                        id=f"{cells['photo_id']}/{cells['observation_uuid']}",
                        source_row=f"{path.name}:{number}",
                        url=f"{self.base_url.rstrip('/')}/photos/{cells['photo_id']}/{self.size}.{cells['extension']}",
                        root=None,
                        **describe_row(described, where),
                    )
                )
        if left_out:
            counts = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
            log.warning("%s: %d photos; left out %s", path, num_rows, counts)
        if not num_rows:
            raise CatalogueError(f"{path}: none of {left_out.total()} photos is wanted")

    def taxa(self) -> Iterator[Taxon]:
        """Every taxon of `rank`, used or not."""
        with (
            tempfile.TemporaryDirectory(prefix="fieldguide-") as folder,
            closing(sqlite3.connect(Path(folder) / "tables.sqlite")) as database,
        ):
            self._store("taxa", database)
            for taxon_id, name in database.execute("SELECT taxon_id, name FROM taxa WHERE rank = ?", (self.rank,)):
                where = f"{self._path('taxa')}, taxon {taxon_id}"
                label = tidy(name, where)
                if label is not None:
                    yield Taxon(name=label, lineage=describe_lineage(self._ranks(taxon_id, database), where))

    def _path(self, table: str) -> Path:
        packed = self.path / f"{table}.csv.gz"
        return packed if packed.exists() else self.path / f"{table}.csv"

    def _cells(self, table: str) -> Iterator[tuple[int, str, dict[str, str | None]]]:
        path = self._path(table)
        try:
            with open_bytes(path) as stream:
                yield from read_unquoted(stream, path, TABLES[table])
        except FileNotFoundError:
            raise CatalogueError(f"{path} is missing; expected a table of the iNaturalist Open Data set") from None
        except (EOFError, OSError) as error:
            raise CatalogueError(f"{path} cannot be read: {error}") from None

    def _store(self, table: str, database: sqlite3.Connection) -> None:
        key, *others = TABLES[table]
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        database.execute(f"CREATE TABLE {table} ({key} TEXT PRIMARY KEY, {', '.join(others)}) WITHOUT ROWID")
        marks = ", ".join("?" * (len(others) + 1))
        rows = (tuple(cells.values()) for _, _, cells in self._cells(table))
        try:
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        except sqlite3.IntegrityError:
            raise CatalogueError(f"{self._path(table)}: an empty or repeated {key}; expected every one once") from None

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
    # The tables hold the word None where an observer gave no name.
    return name if name and name != "None" else login
