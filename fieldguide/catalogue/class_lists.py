"""Which taxa become classes: those of a taxonomy table, closed over the photos at hand."""

from collections import Counter
from collections.abc import Mapping, Sequence

from fieldguide.catalogue.taxonomy import OTHER, Lineage, Taxonomy
from fieldguide.catalogue.taxonomy_table import Taxa


def close_taxonomy(
    labels: Mapping[str, int], table: Taxa | None, ranks: Sequence[str], min_samples: int
) -> tuple[Taxonomy, dict[str, Lineage]]:
    """The taxonomy of the labels at hand, and for every label the class names at all `ranks`.

    `labels` counts the photos of each label. A label with fewer than `min_samples` photos, or one that the table lacks,
    is `other` at `ranks[0]`; what is known of its higher ranks stays, and a binomial that the table lacks takes them
    from its genus. A label without photos (all are held out) makes no class at any rank, but is told by those of the
    others. Without a table every label is a class of its own. `regions` is left empty.
    """
    table = table or Taxa({label: {} for label in labels})
    lineages = table.lineages
    genera = {lineage["genus"]: lineage for lineage in lineages.values() if "genus" in lineage}
    known = {label: lineages.get(label, genera.get(label.split()[0], {})) for label in labels}
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
        # In a careless table a name stands under several parents (a "group" is no true rank): the most frequent wins.
        votes: dict[str, Counter[tuple[tuple[str, str], ...]]] = {name: Counter() for name in classes[rank][1:]}
        for label in taught:
            if (name := names[label][rank]) != OTHER:
                votes[name][tuple((up, known[label][up]) for up in higher if up in known[label])] += labels[label]
        parents[rank] = {name: dict(counter.most_common(1)[0][0]) for name, counter in votes.items()}
    taxonomy = Taxonomy(
        ranks=list(ranks),
        classes=classes,
        parents=parents,
        bundled={label: known[label] for label in taught if not is_class[label]},
        vernacular={label: table.vernacular[label] for label in sorted(labels) if label in table.vernacular},
        regions={},
    )
    told = {
        label: {rank: name if name in taxonomy.index(rank) else OTHER for rank, name in row.items()}
        for label, row in names.items()
    }
    return taxonomy, told
