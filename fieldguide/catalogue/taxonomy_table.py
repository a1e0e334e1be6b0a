"""Reads a taxonomy table: one species a line, `,`, `;` or tabs between the cells, a column per rank.

`python -m fieldguide taxonomy` writes such a table from the sources' own ranks.
"""

import csv
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fieldguide.catalogue.homonyms import tell_homonyms_apart
from fieldguide.catalogue.names import says_nothing, taxon_name
from fieldguide.catalogue.taxonomy import OTHER, Lineage
from fieldguide.errors import CatalogueError
from fieldguide.params import Section
from fieldguide.spreadsheet import plain_cell

log = logging.getLogger(__name__)

SYNONYM_SEPARATOR = "|"
OF_LANGUAGE = re.compile(r"vernacular_([a-z]{2,3})", re.IGNORECASE)
"""A column of names in one language, by its ISO 639 code."""


class TaxonomyTable(Section):
    """The table and what its columns are called."""

    path: Path
    """A .csv or .tsv, one species a line, `,`, `;` or tabs between the cells."""
    columns: dict[str, str]
    """Rank: the column that holds it, where that is called otherwise (`species: speciesName`)."""
    vernacular: list[str]
    """Columns of vernacular names; the first that says something counts. What one called `vernacular_nl` says is also
    the name in that language."""
    synonyms: str | None
    """The column of other labels that mean the species, with `|` between them; null: none."""


@dataclass(frozen=True)
class Taxa:
    """What a taxonomy table says, by the name at the first rank. All names are in the form of `taxon_name`."""

    lineages: dict[str, Lineage]
    vernacular: dict[str, str] = field(default_factory=dict)
    vernaculars: dict[str, dict[str, str]] = field(default_factory=dict)
    """The vernacular names of each language that has columns of its own."""
    synonyms: dict[str, str] = field(default_factory=dict)
    """The name that each synonym means."""

    @property
    def names(self) -> set[str]:
        """All names that mean a taxon at the first rank."""
        return self.lineages.keys() | self.synonyms.keys()


def read_taxa(table: TaxonomyTable, ranks: Sequence[str]) -> Taxa:
    """Read a taxonomy table.

    Homonyms at higher ranks are told apart. Raises CatalogueError naming file, line, what it holds and what is
    expected: a missing column, a line without a name, a species that is listed twice with different parents, a synonym
    that means two species or is one itself.
    """
    taxa = Taxa({})
    columns = [table.columns.get(rank, rank) for rank in ranks]
    languages = {code[1].lower(): column for column in table.vernacular if (code := OF_LANGUAGE.fullmatch(column))}
    claimed: dict[str, str] = {}
    for where, cells in _lines(table, columns):
        name, *higher = (cells[column] for column in columns)
        if not name or says_nothing(name):
            got = f"says {name!r}" if name else "is empty"
            raise CatalogueError(f"{where}: column '{columns[0]}' {got}; expected the name of a taxon")
        if name.casefold() == OTHER:
            log.warning("%s: left out %r, the class of all that is none of the others", where, name)
            continue
        lineage = {rank: parent for rank, parent in zip(ranks[1:], higher, strict=True) if _is_taxon(parent)}
        if (known := taxa.lineages.setdefault(name, lineage)) != lineage:
            raise CatalogueError(f"{where}: '{name}' has parents {lineage}, but {known} further up")
        if common := next(filter(None, (cells[column] for column in table.vernacular)), None):
            taxa.vernacular.setdefault(name, common)
        for language, column in languages.items():
            if cells[column]:
                taxa.vernaculars.setdefault(language, {}).setdefault(name, cells[column])
        for synonym in cells[table.synonyms].split(SYNONYM_SEPARATOR) if table.synonyms else ():
            if (synonym := taxon_name(synonym)) and synonym != name:
                if (means := taxa.synonyms.setdefault(synonym, name)) != name:
                    raise CatalogueError(f"{where}: '{synonym}' is a synonym of '{name}', but of '{means}' further up")
                claimed.setdefault(synonym, where)
    for synonym, where in claimed.items():
        if synonym in taxa.lineages:
            raise CatalogueError(
                f"{where}: '{synonym}' is a synonym of '{taxa.synonyms[synonym]}', but has a line of its own too"
            )
    lineages = tell_homonyms_apart(taxa.lineages, ranks[1:], str(table.path))
    return replace(taxa, lineages=lineages)


def _is_taxon(name: str) -> bool:
    return bool(name) and not says_nothing(name) and name.casefold() != OTHER


def _lines(table: TaxonomyTable, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """`FILE line N` and the cells, as names, of each line that says anything. Raises CatalogueError."""
    wanted = [*columns, *table.vernacular, *([table.synonyms] if table.synonyms else [])]
    try:
        stream = table.path.open(newline="", encoding="utf-8-sig")
    except FileNotFoundError:
        raise CatalogueError(f"{table.path} is missing; the params name it as the taxonomy") from None
    with stream:
        try:
            header = stream.readline()
            stream.seek(0)
            reader = csv.DictReader(stream, delimiter=max(",;\t", key=header.count))
            found = reader.fieldnames or []
            for column in wanted:
                if column not in found:
                    raise CatalogueError(
                        f"{table.path} line 1: no column '{column}'; found {', '.join(found) or 'nothing'}"
                    )
            for row in reader:
                cells = {name: taxon_name(plain_cell(row[name] or "")) for name in wanted}
                if any(cells.values()):
                    yield f"{table.path} line {reader.line_num}", cells
        except UnicodeDecodeError as error:
            raise CatalogueError(f"{table.path}: not valid UTF-8 ({error.reason})") from None
        except csv.Error as error:
            raise CatalogueError(f"{table.path}: {error}") from None
