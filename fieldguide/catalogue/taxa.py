"""The ranks that a source itself holds, gathered into a taxonomy table: `python -m fieldguide taxonomy OUT`.

A source that knows more than a name has `taxa()` beside `rows()`. It may tell of a taxon as often as it likes, and
differently: what it says most often counts, and of equally frequent the first.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from fieldguide.catalogue.names import taxon_name
from fieldguide.catalogue.rows import tidy
from fieldguide.catalogue.taxonomy_table import SYNONYM_SEPARATOR
from fieldguide.errors import CatalogueError
from fieldguide.spreadsheet import write_csv

log = logging.getLogger(__name__)

HIGHER_RANKS: Final = ("genus", "family", "order", "class", "phylum", "kingdom", "group")
"""`group` is what the iNaturalist challenges call supercategory: no rank, but what people say (birds, plants)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxon:
    """What a source says about one name that it labels photos with."""

    name: str
    lineage: tuple[tuple[str, str], ...]
    """(rank, name) of those HIGHER_RANKS that are known, in their order."""
    vernacular: str | None = None
    synonyms: tuple[str, ...] = ()
    """Other labels that mean this taxon."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", taxon_name(self.name))
        object.__setattr__(self, "lineage", tuple((rank, taxon_name(name)) for rank, name in self.lineage))
        object.__setattr__(self, "synonyms", tuple(map(taxon_name, self.synonyms)))


@runtime_checkable
class TaxonSource(Protocol):
    """A source that holds the ranks of its labels."""

    def taxa(self) -> Iterator[Taxon]:
        """Every taxon, once or more. Raises CatalogueError."""
        ...


def describe_lineage(cells: Mapping[str, Any], where: str) -> tuple[tuple[str, str], ...]:
    """The HIGHER_RANKS among `cells`, tidied. Raises CatalogueError, beginning with `where`."""
    named = ((rank, tidy(cells.get(rank), f"{where}, {rank}")) for rank in HIGHER_RANKS)
    return tuple((rank, name) for rank, name in named if name is not None)


def write_taxa(taxa: Iterable[Taxon], path: Path) -> int:
    """Write a table that `read_taxa` reads, sorted by species, and return the number of species in it.

    Columns: species, those of HIGHER_RANKS that any taxon has, vernacular, synonyms. A synonym that is a taxon of its
    own, or that two taxa claim, is left out and counted in the log. Raises CatalogueError if there is no taxon at all.
    """
    lineages: defaultdict[str, Counter[tuple[tuple[str, str], ...]]] = defaultdict(Counter)
    vernacular: defaultdict[str, Counter[str]] = defaultdict(Counter)
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    for taxon in taxa:
        lineages[taxon.name][taxon.lineage] += 1
        if taxon.vernacular:
            vernacular[taxon.name][taxon.vernacular] += 1
        for synonym in taxon.synonyms:
            meanings[synonym].add(taxon.name)
    if not lineages:
        raise CatalogueError(f"no taxon to write into {path}; the sources label nothing")
    synonyms, ambiguous = _settle_synonyms(meanings, lineages.keys())
    if ambiguous:
        log.warning("left out %d synonyms that mean several taxa, as %s", len(ambiguous), ambiguous[0])
    if disputed := sorted(name for name, votes in lineages.items() if len(votes) > 1):
        log.warning("%d taxa have several lineages, as %s; took the most frequent", len(disputed), disputed[0])
    rows = {name: dict(votes.most_common(1)[0][0]) for name, votes in sorted(lineages.items())}
    ranks = [rank for rank in HIGHER_RANKS if any(rank in lineage for lineage in rows.values())]
    common = {name: votes.most_common(1)[0][0] for name, votes in vernacular.items()}
    lines = (
        [
            name,
            *(lineage.get(rank, "") for rank in ranks),
            common.get(name, ""),
            SYNONYM_SEPARATOR.join(synonyms.get(name, [])),
        ]
        for name, lineage in rows.items()
    )
    write_csv(path, ["species", *ranks, "vernacular", "synonyms"], lines)
    return len(rows)


def _settle_synonyms(meanings: Mapping[str, set[str]], names: Iterable[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Synonyms by taxon, sorted, and those that mean no single taxon."""
    taken = set(names)
    synonyms: defaultdict[str, list[str]] = defaultdict(list)
    ambiguous = []
    for synonym, means in sorted(meanings.items()):
        if synonym in taken or len(means) > 1:
            ambiguous.append(synonym)
        else:
            synonyms[next(iter(means))].append(synonym)
    return synonyms, ambiguous
