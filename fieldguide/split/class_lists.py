"""Which taxa become classes: those of a taxonomy table, closed over the photos at hand."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set

import polars as pl

from fieldguide.catalogue.splits import DRAWN, Split
from fieldguide.catalogue.taxa import HIGHER_RANKS
from fieldguide.catalogue.taxonomy import OTHER, Lineage, Taxonomy
from fieldguide.catalogue.taxonomy_table import Taxa


def close_taxonomy(
    labels: Mapping[str, int], table: Taxa | None, ranks: Sequence[str], min_samples: int
) -> tuple[Taxonomy, dict[str, Lineage]]:
    """The taxonomy of the labels at hand, and for every label the class names at all `ranks`.

    `labels` counts the photos of each label. A label with fewer than `min_samples` photos, or one that the table lacks,
    is `other` at `ranks[0]`; what is known of its higher ranks stays: a name of a genus or of anything above it takes
    them from the species there, and so does a binomial that the table lacks. A label without photos (all are held out)
    makes no class at any rank; it gets those of the other labels. Without a table every label is a class of its own.
    `regions` is left empty.
    """
    table = table or Taxa({label: {} for label in labels})
    lineages = table.lineages
    above = _lineages_of_names(
        {name for label in labels if label not in lineages for name in _names_in(label)}, lineages
    )
    known = {
        label: lineages[label]
        if label in lineages
        else next((above[name] for name in _names_in(label) if name in above), {})
        for label in labels
    }
    is_class = {label: label in lineages and count >= max(min_samples, 1) for label, count in labels.items()}
    names = {
        label: {
            ranks[0]: label if is_class[label] else OTHER,
            **{rank: known[label].get(rank, OTHER) for rank in ranks[1:]},
        }
        for label in labels
    }
    taught = sorted(label for label, count in labels.items() if count)
    classes = {rank: [OTHER, *sorted({names[label][rank] for label in taught} - {OTHER})] for rank in ranks}
    parents: dict[str, dict[str, Lineage]] = {}
    for position, rank in enumerate(ranks):
        higher = ranks[position + 1 :]
        # In some tables a name has several parents (a "group" is not a true rank): the most frequent one is taken.
        votes: dict[str, Counter[tuple[tuple[str, str], ...]]] = {name: Counter() for name in classes[rank][1:]}
        for label in taught:
            if (name := names[label][rank]) != OTHER:
                votes[name][tuple((up, known[label][up]) for up in higher if up in known[label])] += labels[label]
        parents[rank] = {name: dict(counter.most_common(1)[0][0]) for name, counter in votes.items()}
    taxonomy = Taxonomy(
        ranks=list(ranks),
        classes=classes,
        parents=parents,
        merged_into_other={label: known[label] for label in taught if not is_class[label]},
        vernacular={label: table.vernacular[label] for label in sorted(labels) if label in table.vernacular},
        vernaculars={
            language: {label: common[label] for label in sorted(labels) if label in common}
            for language, common in sorted(table.vernaculars.items())
        },
        regions={},
    )
    told = {
        label: {rank: name if name in taxonomy.index(rank) else OTHER for rank, name in row.items()}
        for label, row in names.items()
    }
    return taxonomy, told


def count_drawn(photos: pl.DataFrame) -> dict[str, int]:
    """The photos of each label in train, val and test, labels in order; 0 where all are held out."""
    drawn = photos.group_by("label").agg(pl.col("split").is_in(DRAWN).sum()).sort("label")
    return dict(drawn.iter_rows())


def list_region_classes(rows: pl.DataFrame, rank: str) -> dict[str, list[str]]:
    """The classes of `rank` with training photos in each region, `other` first where it is one of them.

    `rows` needs region, split and a column named as the rank.
    """
    train = rows.filter(pl.col("split") == Split.TRAIN).drop_nulls("region")
    held = train.group_by("region").agg(pl.col(rank).unique()).sort("region")
    return {region: sorted(names, key=lambda name: (name != OTHER, name)) for region, names in held.iter_rows()}


def _names_in(label: str) -> tuple[str, str]:
    """What a label that is no species of the table may be: a taxon above it, or a binomial whose genus is known."""
    return label, label.split()[0]


def _lineages_of_names(names: Set[str], lineages: Mapping[str, Lineage]) -> dict[str, Lineage]:
    """For those of `names` that stand above any species: that rank, and those above on which all its species agree."""
    agreed: dict[tuple[str, str], Lineage] = {}
    for lineage in lineages.values():
        for rank, name in lineage.items():
            if name in names:
                own = agreed.get((rank, name), lineage)
                agreed[rank, name] = {
                    up: own[up] for up in own if own[up] == lineage.get(up) and _is_at_least(up, rank)
                }
    found: dict[str, Lineage] = {}
    for (_, name), lineage in sorted(agreed.items(), key=lambda item: -len(item[1])):
        # A name at two ranks is the lower one: it says more.
        found.setdefault(name, lineage)
    return found


def _is_at_least(up: str, rank: str) -> bool:
    """Whether `up` is `rank` or lies above it. Of a table's own ranks it is only known that they lie above genus."""
    if up == rank or rank == HIGHER_RANKS[0]:
        return True
    return up in HIGHER_RANKS and rank in HIGHER_RANKS and HIGHER_RANKS.index(up) > HIGHER_RANKS.index(rank)
