"""The `dwca` kind: a Darwin Core Archive, as GBIF's downloads are, with the media of its occurrences.

One row per still image. Occurrences go into a temporary SQLite file, so that the join costs disk and not memory,
whatever the order of the two tables.
"""

import logging
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

from fieldguide.catalogue.rows import Fill, Row, describe_row, locate, tidy, trim
from fieldguide.catalogue.sources.dwca_archive import DwcArchive, Line, Part
from fieldguide.catalogue.taxa import HIGHER_RANKS, Taxon, describe_lineage
from fieldguide.errors import CatalogueError
from fieldguide.params import Section

log = logging.getLogger(__name__)

OCCURRENCE = "Occurrence"
MULTIMEDIA = "Multimedia"
ADDRESSES = ("identifier", "accessURI")
"""Where GBIF's and Audubon Core's multimedia give the URL of the file."""
ACCEPTED = ("acceptedScientificName", "acceptedNameUsage")
"""The name that a `scientificName` is a synonym of, or itself."""
KNOWN = ("label", "observer", "region", "country", "latitude", "longitude", "licence", "rights_holder")


class DwcaSource(Section):
    """An archive and the terms that tell a photo's species and region."""

    kind: Literal["dwca"]
    """`dwca`."""
    path: Path
    """The zip, or the folder it was unpacked to."""
    label: str
    """Term of the core: `species` in GBIF's interpreted downloads, `scientificName` elsewhere (with its author)."""
    region: str | None
    """Term of the core, such as `stateProvince`; null leaves it to `fetch.regions`, by country and coordinates."""
    exclude_basis: tuple[str, ...]
    """Values of basisOfRecord whose media are left out: `MATERIAL_CITATION` are pages of publications."""
    fill: Fill
    """Values for photos about which the source itself says nothing."""

    def rows(self) -> Iterator[Row]:
        """The still images in the order of the multimedia table. What is left out is counted in the log."""
        archive = DwcArchive(self.path)
        media = self._multimedia(archive)
        left_out: Counter[str] = Counter()
        num_rows = 0
        with (
            tempfile.TemporaryDirectory(prefix="fieldguide-") as folder,
            closing(sqlite3.connect(Path(folder) / "occurrences.sqlite")) as database,
        ):
            self._store_occurrences(archive, database)
            occurrence, seen = "", set[str]()
            for line in archive.lines(media):
                found = database.execute("SELECT * FROM occurrence WHERE id = ?", (line.key,)).fetchone()
                if found is None:
                    raise CatalogueError(f"{line.where}: {line.key!r} is not in the core; expected an occurrence")
                # The media of an occurrence stand together, and one of them now and then twice.
                if line.key != occurrence:
                    occurrence, seen = line.key, set()
                address = next(filter(None, map(line.get, ADDRESSES)), None)
                if reason := self._why_not(line, address, found[1], seen):
                    left_out[reason] += 1
                    continue
                assert address
                seen.add(address)
                num_rows += 1
                yield self._row(line, address, dict(zip(KNOWN, found[2:], strict=True)))
        if left_out:
            counts = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
            log.warning("%s: %d still images; left out %s", self.path, num_rows, counts)
        if not num_rows:
            raise CatalogueError(f"{self.path}: no still image among {left_out.total()} media")

    def taxa(self) -> Iterator[Taxon]:
        """The taxon of every occurrence that has one. GBIF's `species` is the accepted name already."""
        archive = DwcArchive(self.path)
        self._multimedia(archive)
        for line in archive.lines(archive.core):
            label = tidy(line.get(self.label), f"{line.where}, {self.label}")
            if label is None:
                continue
            accepted = None
            if self.label == "scientificName":
                accepted = tidy(next(filter(None, map(line.get, ACCEPTED)), None), f"{line.where}, accepted name")
            yield Taxon(
                name=accepted or label,
                lineage=describe_lineage({rank: line.get(rank) for rank in HIGHER_RANKS}, line.where),
                vernacular=tidy(line.get("vernacularName"), f"{line.where}, vernacularName"),
                synonyms=(label,) if accepted and accepted != label else (),
            )

    def _multimedia(self, archive: DwcArchive) -> Part:
        """The extension that lists media, after a look at the terms. Raises CatalogueError."""
        core = archive.core
        if core.row_type != OCCURRENCE:
            raise CatalogueError(f"{self.path}: the core holds {core.row_type} rows; expected {OCCURRENCE}")
        for term in filter(None, (self.label, self.region)):
            if not core.has(term):
                terms = ", ".join(sorted({*core.columns, *core.defaults}))
                raise CatalogueError(f"{self.path}: the core has no term {term!r}; it has {terms}")
        media = [part for part in archive.extensions if part.row_type == MULTIMEDIA and any(map(part.has, ADDRESSES))]
        if not media:
            kinds = ", ".join(part.row_type for part in archive.extensions) or "none"
            raise CatalogueError(
                f"{self.path}: no extension {MULTIMEDIA} with file addresses; the extensions are {kinds}"
            )
        return media[0]

    def _store_occurrences(self, archive: DwcArchive, database: sqlite3.Connection) -> None:
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        columns = ", ".join(("id TEXT PRIMARY KEY", "basis", *KNOWN))
        database.execute(f"CREATE TABLE occurrence ({columns}) WITHOUT ROWID")
        places = ("countryCode", "decimalLatitude", "decimalLongitude")
        terms = ("basisOfRecord", self.label, "recordedBy", self.region, *places, "license", "rightsHolder")
        marks = ", ".join("?" * (len(terms) + 1))
        rows = ((line.key, *(term and line.get(term) for term in terms)) for line in archive.lines(archive.core))
        try:
            database.executemany(f"INSERT INTO occurrence VALUES ({marks})", rows)
        except sqlite3.IntegrityError:
            raise CatalogueError(f"{self.path}: two occurrences with one id; expected every id once") from None

    def _why_not(self, line: Line, address: str | None, basis: str | None, seen: set[str]) -> str | None:
        """Why a medium is no row, None if it is one."""
        kind, form = (line.get("type") or "").casefold(), (line.get("format") or "").casefold()
        if basis in self.exclude_basis:
            return f"of basis {basis}"
        if not (kind.endswith("stillimage") or form.startswith("image/")):
            return "not still images"
        if address is None:
            return "without an address"
        return "repeated" if address in seen else None

    def _row(self, line: Line, address: str, known: dict[str, str | None]) -> Row:
        url_text = trim(address, f"{line.where}, identifier")
        assert url_text
        url, root = locate(url_text, self.path if self.path.is_dir() else self.path.parent)
        described = {
            **known,
            "observation_id": line.key,
            "licence": line.get("license") or known["licence"],
            "rights_holder": line.get("rightsHolder") or known["rights_holder"] or line.get("creator"),
        }
        row = Row(
            id=f"{line.key} {url_text}",
            source_row=line.source_row,
            url=url,
            root=root,
            **describe_row(described, line.where),
        )
        return self.fill.complete(row)
