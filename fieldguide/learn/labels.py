"""Which classes a network knows, and the labels of photos in its terms. Classes are matched by name, never by index."""

from collections.abc import Sequence

import numpy as np

from fieldguide.catalogue.taxonomy import OTHER, Taxonomy
from fieldguide.errors import TrainingError
from fieldguide.records.reader import RecordSet

UNKNOWN = -1
"""Label of a photo whose class the network does not know; no loss and no metric counts it."""


def select_photos(records: RecordSet, region: str | None, max_samples: int | None) -> np.ndarray:
    """Indices of the photos to learn from: those of `region` (null: all), at most `max_samples`: int64 [n].

    Records lie in a random order, so the first ones are a fair sample. Raises TrainingError if there are none.
    """
    if region is None:
        indices = np.arange(len(records), dtype=np.int64)
    else:
        indices = np.flatnonzero(records.lie_in(region)).astype(np.int64)
    indices = indices[:max_samples]
    if not len(indices):
        where = f" of region {region!r}" if region else ""
        raise TrainingError(f"split {records.split} has no photos{where}")
    return indices


def select_classes(
    taxonomy: Taxonomy, records: RecordSet, indices: np.ndarray, region: str | None
) -> dict[str, list[str]]:
    """The classes of every rank: all of the taxonomy's, or those of `region` in the taxonomy's order.

    At the first rank a region's classes are those that the taxonomy lists for it; at higher ranks those of the
    photos at `indices`. `other` is always the first. Raises TrainingError for a region that is not listed.
    """
    if region is None:
        return {rank: list(taxonomy.classes[rank]) for rank in taxonomy.ranks}
    if region not in taxonomy.regions:
        raise TrainingError(f"region {region!r} is unknown; expected one of {', '.join(taxonomy.regions) or 'none'}")
    first, *higher = taxonomy.ranks
    classes = {first: list(taxonomy.regions[region])}
    for rank in higher:
        present = set(records.labels(rank)[indices].tolist()) | {taxonomy.index(rank)[OTHER]}
        classes[rank] = [taxonomy.classes[rank][label] for label in sorted(present)]
    return classes


def map_labels(records: RecordSet, classes: dict[str, list[str]], ranks: Sequence[str]) -> np.ndarray:
    """Labels of all records as indices into `classes`: int64 [num_records, num_ranks], UNKNOWN where absent."""
    columns = []
    for rank in ranks:
        known = {name: index for index, name in enumerate(classes[rank])}
        table = np.array([known.get(name, UNKNOWN) for name in records.taxonomy.classes[rank]], np.int64)
        columns.append(table[records.labels(rank)])
    return np.stack(columns, axis=1)
