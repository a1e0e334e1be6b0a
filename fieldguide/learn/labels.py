"""Which classes a network knows, and the labels of photos in its terms. Classes are matched by name, never by index."""

from collections.abc import Mapping, Sequence

import numpy as np

from fieldguide.catalogue.taxonomy import OTHER, Taxonomy
from fieldguide.errors import TrainingError
from fieldguide.records.reader import RecordSet

UNKNOWN = -1
"""Label of a photo whose class the network does not know; no loss and no metric counts it."""


def select_classes(
    taxonomy: Taxonomy, records: RecordSet, indices: np.ndarray, region: str | None
) -> dict[str, list[str]]:
    """The classes of every rank: all of the taxonomy's, or those of `region` in the taxonomy's order.

    At the first rank a region's classes are those that the taxonomy lists for it; at higher ranks those of the
    photos at `indices`. `other` is always the first, also where no photo of the region is: what a network cannot name
    has to go somewhere. Raises TrainingError for a region that is not listed.
    """
    if region is None:
        return {rank: list(taxonomy.classes[rank]) for rank in taxonomy.ranks}
    if region not in taxonomy.regions:
        raise TrainingError(f"region {region!r} is unknown; expected one of {', '.join(taxonomy.regions) or 'none'}")
    first, *higher = taxonomy.ranks
    classes = {first: [OTHER, *(name for name in taxonomy.regions[region] if name != OTHER)]}
    for rank in higher:
        present = set(records.labels(rank)[indices].tolist()) | {taxonomy.index(rank)[OTHER]}
        classes[rank] = [taxonomy.classes[rank][label] for label in sorted(present)]
    return classes


def drop_rare(
    classes: Mapping[str, Sequence[str]], records: RecordSet, indices: np.ndarray, least: Mapping[str, int]
) -> dict[str, list[str]]:
    """`classes` of every rank without those that have fewer than `least[rank]` of the photos at `indices`.

    `other` stays. Raises TrainingError where nothing else does.
    """
    kept = {rank: list(names) for rank, names in classes.items()}
    for rank, least_photos in least.items():
        counts = np.bincount(records.labels(rank)[indices], minlength=len(records.taxonomy.classes[rank]))
        frequent = {
            name for name, count in zip(records.taxonomy.classes[rank], counts, strict=True) if count >= least_photos
        }
        kept[rank] = [name for name in classes[rank] if name == OTHER or name in frequent]
        if set(kept[rank]) <= {OTHER}:
            raise TrainingError(
                f"min_samples.{rank} is {least_photos}, but the largest of {len(classes[rank])} classes has "
                f"{counts.max()} training photos; expected a smaller one"
            )
    return kept


def map_labels(records: RecordSet, classes: dict[str, list[str]], ranks: Sequence[str]) -> np.ndarray:
    """Labels of all records as indices into `classes`: int64 [num_records, num_ranks], UNKNOWN where absent."""
    columns = []
    for rank in ranks:
        known = {name: index for index, name in enumerate(classes[rank])}
        table = np.array([known.get(name, UNKNOWN) for name in records.taxonomy.classes[rank]], np.int64)
        columns.append(table[records.labels(rank)])
    return np.stack(columns, axis=1)
