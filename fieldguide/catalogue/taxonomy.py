"""The classes of every rank and how they nest: read from a table, closed over the photos at hand.

A table row is one species: a column per rank (species, group, family, genus, ... as the params name them) and, if
known, a `vernacular` name. The class list of a rank is `other`, index 0, then the names in sorted order.
"""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from fieldguide.errors import CatalogueError
from fieldguide.files import write_json

OTHER = "other"

Lineage = dict[str, str]
"""The higher ranks of a taxon: `{"genus": "Aster", "family": "Asteraceae"}`; unknown ranks are absent."""


class Taxonomy(BaseModel):
    """taxonomy.json; the fields are explained in docs/formats.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranks: list[str]
    classes: dict[str, list[str]]
    parents: dict[str, dict[str, Lineage]]
    bundled: dict[str, Lineage]
    vernacular: dict[str, str]
    regions: dict[str, list[str]]

    @classmethod
    def read(cls, path: Path) -> "Taxonomy":
        """Read taxonomy.json. Raises CatalogueError if it is missing or malformed."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise CatalogueError(f"{path} is missing; run the split stage first") from None
        except ValidationError as error:
            raise CatalogueError(f"{path} is not a taxonomy: {error.errors()[0]['msg']}") from None

    def write(self, path: Path) -> None:
        """Write taxonomy.json, whole or not at all."""
        write_json(path, self.model_dump())

    @cached_property
    def _indices(self) -> dict[str, dict[str, int]]:
        return {rank: {name: i for i, name in enumerate(names)} for rank, names in self.classes.items()}

    def index(self, rank: str) -> dict[str, int]:
        """Class index by class name at `rank`."""
        return self._indices[rank]


def read_lineages(path: Path, ranks: Sequence[str]) -> tuple[dict[str, Lineage], dict[str, str]]:
    """Read a taxonomy table (`,` or `;`): lineage and vernacular name by the name at `ranks[0]`.

    Raises CatalogueError naming file, line, what it holds and what is expected: a missing column, an empty name, or
    a species that is listed twice with different parents.
    """
    lineages: dict[str, Lineage] = {}
    vernacular: dict[str, str] = {}
    try:
        stream = path.open(newline="", encoding="utf-8-sig")
    except FileNotFoundError:
        raise CatalogueError(f"{path} is missing; the params name it as the taxonomy") from None
    with stream:
        header = stream.readline()
        stream.seek(0)
        reader = csv.DictReader(stream, delimiter=";" if header.count(";") > header.count(",") else ",")
        columns = reader.fieldnames or []
        for rank in ranks:
            if rank not in columns:
                raise CatalogueError(f"{path} line 1: no column '{rank}'; found {', '.join(columns) or 'nothing'}")
        for row in reader:
            name, *higher = ((row[rank] or "").strip() for rank in ranks)
            if not name:
                raise CatalogueError(f"{path} line {reader.line_num}: column '{ranks[0]}' is empty")
            lineage = {rank: parent for rank, parent in zip(ranks[1:], higher, strict=True) if parent}
            if lineages.setdefault(name, lineage) != lineage:
                raise CatalogueError(
                    f"{path} line {reader.line_num}: '{name}' has parents {lineage}, but {lineages[name]} further up"
                )
            if common := (row.get("vernacular") or "").strip():
                vernacular.setdefault(name, common)
    return lineages, vernacular


def close_taxonomy(
    labels: Mapping[str, int],
    table: tuple[dict[str, Lineage], dict[str, str]] | None,
    ranks: Sequence[str],
    min_samples: int,
) -> tuple[Taxonomy, dict[str, Lineage]]:
    """The taxonomy of the labels at hand, and for every label the class names at all `ranks`.

    `labels` counts the photos of each label. A label with fewer than `min_samples` photos, or one that the table lacks,
    is `other` at `ranks[0]`; what is known of its higher ranks stays, and a binomial that the table lacks takes them
    from its genus. Without a table every label is a class of its own. `regions` is left empty.
    """
    lineages, vernacular = table or ({label: {} for label in labels}, {})
    genera = {lineage["genus"]: lineage for lineage in lineages.values() if "genus" in lineage}
    known = {label: lineages.get(label, genera.get(label.split()[0], {})) for label in labels}
    is_class = {label: label in lineages and count >= min_samples for label, count in labels.items()}
    names = {
        label: {
            ranks[0]: label if is_class[label] else OTHER,
            **{rank: known[label].get(rank, OTHER) for rank in ranks[1:]},
        }
        for label in labels
    }
    classes = {rank: [OTHER, *sorted({row[rank] for row in names.values()} - {OTHER})] for rank in ranks}
    parents: dict[str, dict[str, Lineage]] = {}
    for position, rank in enumerate(ranks):
        higher = ranks[position + 1 :]
        # In a careless table a name stands under several parents (a "group" is no true rank): the most frequent wins.
        votes: dict[str, Counter[tuple[tuple[str, str], ...]]] = {name: Counter() for name in classes[rank][1:]}
        for label in sorted(labels):
            if (name := names[label][rank]) != OTHER:
                votes[name][tuple((up, known[label][up]) for up in higher if up in known[label])] += labels[label]
        parents[rank] = {name: dict(counter.most_common(1)[0][0]) for name, counter in votes.items()}
    taxonomy = Taxonomy(
        ranks=list(ranks),
        classes=classes,
        parents=parents,
        bundled={label: known[label] for label in sorted(labels) if not is_class[label]},
        vernacular={label: vernacular[label] for label in sorted(labels) if label in vernacular},
        regions={},
    )
    return taxonomy, names
