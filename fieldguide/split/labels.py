"""What the photos' labels mean to the taxonomy; what means nothing to it is told, and never becomes `other` unsaid."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import polars as pl

from fieldguide.catalogue.names import Nearest, says_nothing
from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.catalogue.taxonomy_table import Taxa

log = logging.getLogger(__name__)

NUM_SHOWN = 5
"""Labels named in the log; the list of UnknownLabel has all."""
NUM_COMPARED = 1000
"""Labels, those with most photos, whose nearest name is looked for: 15 ms each among 10,000 names."""


@dataclass(frozen=True)
class UnknownLabel:
    """A label that is no species of the taxonomy, nor a synonym of one."""

    label: str
    num_photos: int
    nearest: str | None
    """The name in the taxonomy that it is most like; None also beyond NUM_COMPARED."""


def settle_labels(labels: pl.Series, taxa: Taxa | None) -> pl.Series:
    """`labels` with accepted names for synonyms, and `other` for none and for what says nothing, as NA does."""
    silent = [label for label in labels.unique().drop_nulls() if says_nothing(label) or label.casefold() == OTHER]
    if num_null := labels.null_count():
        log.warning("%s without a label: taught as `%s`", _photos(num_null), OTHER)
    for label, count in sorted(_count(labels.filter(labels.is_in(silent)))):
        if label != OTHER:
            log.warning("%s with the label %r, which names no taxon: taught as `%s`", _photos(count), label, OTHER)
    meant = dict.fromkeys(silent, OTHER) | (taxa.synonyms if taxa else {})
    return labels.replace(meant).fill_null(OTHER)


def find_unknown(labels: pl.Series, taxa: Taxa) -> list[UnknownLabel]:
    """The labels of `settle_labels` that the taxonomy lacks, those with most photos first; told in the log, too."""
    nearest = Nearest(taxa.names | {name for lineage in taxa.lineages.values() for name in lineage.values()})
    counted = sorted(_count(labels), key=lambda each: (-each[1], each[0]))
    strange = [each for each in counted if each[0] != OTHER and each[0] not in taxa.lineages]
    unknown = [
        UnknownLabel(label, count, nearest.find(label) if place < NUM_COMPARED else None)
        for place, (label, count) in enumerate(strange)
    ]
    if unknown:
        shown = ", ".join(_describe(each) for each in islice(unknown, NUM_SHOWN))
        more = f" and {len(unknown) - NUM_SHOWN:,} more" if len(unknown) > NUM_SHOWN else ""
        log.warning("labels that the taxonomy lacks at its first rank, taught as `%s` there: %s%s", OTHER, shown, more)
    return unknown


def _count(labels: pl.Series) -> Iterable[tuple[str, int]]:
    return labels.drop_nulls().value_counts().iter_rows()


def _describe(unknown: UnknownLabel) -> str:
    like = f"; nearest is {unknown.nearest!r}" if unknown.nearest else ""
    return f"{unknown.label!r} ({_photos(unknown.num_photos)}{like})"


def _photos(count: int) -> str:
    return f"{count:,} photo{'' if count == 1 else 's'}"
