"""Which ranks a taxonomy table names, and how well its species are those of the photos."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fieldguide.catalogue.names import Nearest
from fieldguide.catalogue.taxa import HIGHER_RANKS
from fieldguide.catalogue.taxonomy_table import TaxonomyTable, read_taxa
from fieldguide.errors import CatalogueError
from fieldguide.survey.sources import shorten

SPECIES_NAMES = ("species", "scientificname", "speciesname", "taxonname", "taxon", "label", "class", "name")
VERNACULAR = ("vernacular", "commonname", "englishname")
OTHER_SPELLINGS = {"grp": "group", "supercategory": "group", "ordo": "order", "familia": "family"}
SYNONYMS = "synonyms"
NUM_COMPARED = 5


@dataclass(frozen=True)
class Ranks:
    """For `split.ranks` and `split.taxonomy`."""

    ranks: tuple[str, ...]
    taxonomy: dict[str, Any] | None
    """What differs from the usual table; None is no table at all."""
    reason: str
    unknown: tuple[str, ...] = ()
    """Labels of the photos that the table lacks; the first few with the closest of its names."""
    num_known: int = 0


NO_RANKS = Ranks(("species",), None, "no taxonomy was given")


def find_ranks(table: Path, labels: Iterable[str]) -> Ranks:
    """The ranks that a taxonomy table has columns for, the species first.

    Raises CatalogueError if it has none for species, if it cannot be read, or if none of `labels` is in it.
    """
    names = _read_header(table)
    species, higher = match_ranks(names)
    columns = {"species": species} if species != "species" else {}
    columns |= {rank: name for rank, name in higher.items() if rank != name}
    taxonomy: dict[str, Any] = {"path": str(shorten(table)), "columns": columns}
    taxonomy["vernacular"] = [name for name in names if _plain(name).startswith(VERNACULAR)]
    taxonomy["synonyms"] = next((name for name in names if _plain(name) == SYNONYMS), None)
    ranks = ("species", *higher)
    taxa = read_taxa(TaxonomyTable.model_validate(taxonomy), ranks)
    known = taxa.names
    unknown = sorted(set(labels) - known)
    num_known = len(set(labels) & known)
    nearest = Nearest(known)
    if unknown and not num_known:
        raise CatalogueError(
            f"{table}: none of the {len(unknown)} labels of the photos is in its column {species!r}; got "
            f"{_with_closest(unknown[0], nearest)}"
        )
    return Ranks(
        ranks,
        taxonomy,
        f"the columns of {table.name}",
        (*(_with_closest(label, nearest) for label in unknown[:NUM_COMPARED]), *map(repr, unknown[NUM_COMPARED:])),
        num_known,
    )


def match_ranks(names: Sequence[str]) -> tuple[str, Mapping[str, str]]:
    """The column of species, and by rank those of higher ranks, from low to high. Raises CatalogueError without one."""
    plain = {_plain(name): name for name in reversed(names)}
    species = next((plain[name] for name in SPECIES_NAMES if name in plain), None)
    if species is None:
        raise CatalogueError(f"no column of species; got {', '.join(names)}; expected one called species")
    called = {OTHER_SPELLINGS.get(name, name): column for name, column in plain.items()}
    return species, {rank: called[rank] for rank in HIGHER_RANKS if rank in called}


def _read_header(table: Path) -> list[str]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            header = stream.readline()
    except FileNotFoundError:
        raise CatalogueError(f"{table} is missing; expected a table of species and their ranks") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{table} cannot be read: {error}") from None
    return next(csv.reader([header], delimiter=max(",;\t", key=header.count)), [])


def _with_closest(label: str, nearest: Nearest) -> str:
    close = nearest.find(label)
    return f"{label!r} (the table has {close!r})" if close else repr(label)


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def find_ranks_within(table: Path, species: str | None, labels: Iterable[str]) -> Ranks:
    """The ranks that a .csv of photos itself holds beside its column of `species`; NO_RANKS where it holds none."""
    if table.suffix.lower() != ".csv" or species is None:
        return NO_RANKS
    try:
        column, higher = match_ranks(_read_header(table))
        return find_ranks(table, labels) if column == species and higher else NO_RANKS
    except CatalogueError as error:
        return replace(NO_RANKS, reason=f"no taxonomy was given, and the table is none: {error}")
