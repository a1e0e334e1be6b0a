"""The `dwca` kind: a Darwin Core Archive, as GBIF's downloads are, with the media of its occurrences.

One row per still image. Occurrences go into a temporary SQLite file, so that the join costs disk and not memory,
whatever the order of the two tables.
"""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from fieldguide.catalogue.rows import NO_FILL, Fill, Row, describe_row, locate, tidy, trim
from fieldguide.catalogue.sources.dwca_archive import DwcArchive, Line, Part
from fieldguide.catalogue.sources.joining import store_once, temporary_database
from fieldguide.catalogue.sources.left_out import BAD_ROW, LeftOut
from fieldguide.catalogue.sources.media_types import is_still
from fieldguide.catalogue.taxa import HIGHER_RANKS, Taxon, describe_lineage
from fieldguide.errors import CatalogueError
from fieldguide.params import Section

OCCURRENCE = "Occurrence"
MULTIMEDIA = "Multimedia"
ADDRESSES = ("identifier", "accessURI")
"""Where GBIF's and Audubon Core's multimedia give the URL of the file."""
SEPARATOR = re.compile(r"\s*\|\s*(?=https?://)")
ACCEPTED = ("acceptedScientificName", "acceptedNameUsage")
"""The name that a `scientificName` is a synonym of, or itself."""
KNOWN = ("label", "observer", "region", "country", "latitude", "longitude", "date", "licence", "rights_holder")


class DwcaSource(Section):
    """An archive and the terms that tell a photo's species and region."""

    kind: Literal["dwca"]
    """`dwca`."""
    path: Path
    """The zip, or the folder it was unpacked to."""
    label: str
    """Term of the core: `species` in GBIF's interpreted downloads, `scientificName` elsewhere (with its author)."""
    region: str | None = None
    """Term of the core, such as `stateProvince`; null leaves it to `fetch.regions`, by country and coordinates."""
    exclude_basis: tuple[str, ...] = ()
    """Values of basisOfRecord whose media are left out: `MATERIAL_CITATION` are pages of publications."""
    fill: Fill = NO_FILL
    """Values for photos about which the source itself says nothing."""

    def rows(self) -> Iterator[Row]:
        """The still images in the order of the multimedia table. What is left out is counted in the log."""
        left_out = LeftOut()
        return left_out.report(self._stills(left_out), str(self.path))

    def _stills(self, left_out: LeftOut) -> Iterator[Row]:
        archive = DwcArchive(self.path)
        media = self._multimedia(archive)
        with temporary_database() as database:
            self._store_occurrences(archive, database, left_out)
            occurrence, seen = "", set[str]()
            for line in archive.lines(media, left_out):
                found = database.execute("SELECT * FROM occurrence WHERE id = ?", (line.key,)).fetchone()
                if found is None:
                    left_out.note("medium of no occurrence in the core", f"{line.where}, {line.key!r}")
                    continue
                # The media of an occurrence stand together, and one of them now and then twice.
                if line.key != occurrence:
                    occurrence, seen = line.key, set()
                _, basis, *known = found[:-1]
                if basis in self.exclude_basis:
                    left_out.note(f"medium of basis {basis}", line.where)
                    continue
                for address in _addresses(line):
                    if reason := _why_no_still(line, address, seen):
                        left_out.note(reason, line.where)
                        continue
                    seen.add(address)
                    try:
                        row = self._row(line, address, dict(zip(KNOWN, known, strict=True)), archive)
                    except CatalogueError as error:
                        left_out.note(BAD_ROW, error)
                        continue
                    yield row

    def taxa(self) -> Iterator[Taxon]:
        """The taxon of every occurrence that has one. GBIF's `species` is the accepted name already."""
        archive = DwcArchive(self.path)
        self._multimedia(archive)
        for line in archive.lines(archive.core, LeftOut()):
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
        used: list[tuple[Part, str | None]] = [
            (core, self.label),
            (core, self.region),
            *((media[0], term) for term in (*ADDRESSES, "license")),
        ]
        for part, used_term in used:
            if used_term in part.repeated:
                raise CatalogueError(
                    f"{self.path}: {part.row_type} has the term {used_term!r} at the indexes "
                    f"{part.repeated[used_term]}; "
                    "expected it once"
                )
        return media[0]

    def _store_occurrences(self, archive: DwcArchive, database: sqlite3.Connection, left_out: LeftOut) -> None:
        places = ("countryCode", "decimalLatitude", "decimalLongitude", "eventDate")
        terms = ("basisOfRecord", self.label, "recordedBy", self.region, *places, "license", "rightsHolder")
        lines = archive.lines(archive.core, left_out)
        rows = ((line.number, (line.key, *(term and line.get(term) for term in terms))) for line in lines)
        store_once(database, "occurrence", ("id", "basis", *KNOWN), rows, f"{self.path}/{archive.core.files[0]}")

    def _row(self, line: Line, address: str, known: dict[str, str | None], archive: DwcArchive) -> Row:
        url_text = trim(address, f"{line.where}, identifier")
        assert url_text
        folder = self.path / archive.folder if self.path.is_dir() else self.path.parent
        url, root = locate(archive.address_of(url_text), folder)
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


def _addresses(line: Line) -> list[str]:
    """Where the files of a medium are; several are parted by `|`, as Darwin Core parts the values of any list."""
    text = next(filter(None, map(line.get, ADDRESSES)), "")
    return [address for part in SEPARATOR.split(text) if (address := part.strip())] or [""]


def _why_no_still(line: Line, address: str, seen: set[str]) -> str | None:
    """Why a medium is no row, None if it is one."""
    if not address:
        return "medium without an address"
    kind, form = line.get("type"), line.get("format")
    if not is_still(kind or "", form or "", address, untold=not (line.part.has("type") or line.part.has("format"))):
        return "medium that is no still image"
    return "repeated medium" if address in seen else None
