"""What a person should know of the verdicts before going on: nothing left, a reason that takes most, odd clusters."""

import logging
from typing import Any

import polars as pl

from fieldguide.clean.candidates import count_differences, find_recall, reach
from fieldguide.clean.counts import count_by
from fieldguide.clean.reasons import KEPT, REASONS, UNUSABLE
from fieldguide.errors import PhotoError
from fieldguide.images.fingerprints import stack_fingerprints

log = logging.getLogger(__name__)

MOST = 0.5
"""The share of the photos from which on a reason is told of."""
REMEDIES = {reason.name: reason.remedy for reason in REASONS}


def check_something_is_kept(verdicts: pl.DataFrame) -> None:
    """Raise PhotoError with a remedy if all photos were dropped, and not just for being broken; tell of a reason that
    dropped most of them.

    How many may be broken is for `max_failure_rate` to say.
    """
    counts = count_by(verdicts["reason"])
    kept = counts.pop(KEPT, 0)
    if not counts:
        return
    most = next(iter(counts))
    reasons = ", ".join(f"{reason} {count}" for reason, count in counts.items())
    if not kept and not set(counts) <= set(UNUSABLE):
        most = next(reason for reason in counts if reason not in UNUSABLE)
        raise PhotoError(f"none of {len(verdicts)} photos is kept: {reasons}; {most}: {REMEDIES[most]}")
    if counts[most] > MOST * len(verdicts):
        log.warning(
            "%d of %d photos are dropped for one reason, %s; %s", counts[most], len(verdicts), most, REMEDIES[most]
        )


def describe_clusters(verdicts: pl.DataFrame, max_distance: int) -> dict[str, Any]:
    """How near-duplicates were looked for and found, for metrics; warns of clusters that a person should look at.

    A cluster is wide where a member's fingerprint is further from the first one's than photos are compared at all: it
    belongs there only through others.
    """
    members = verdicts.drop_nulls("cluster_id").filter(pl.len().over("cluster_id") > 1)
    wide = find_wide(members)
    torn = verdicts.filter("labels_differ")["cluster_id"].drop_nulls().unique(maintain_order=True)
    for clusters, what in (
        (wide, "clusters hold photos that are near to each other only through others"),
        (torn, "pictures stand under several labels, and clean.on_conflict says what becomes of them"),
    ):
        if len(clusters):
            log.warning("%d %s; `python -m fieldguide why %s` tells of one", len(clusters), what, clusters[0])
    num_compared = verdicts["searched_bits"].count()
    return {
        "num_clusters": members["cluster_id"].n_unique(),
        "num_photos_in_the_largest": max(members.group_by("cluster_id").len()["len"], default=0),
        "num_wide_clusters": len(wide),
        "num_too_plain_to_compare": verdicts.filter(pl.col("reason") == KEPT)["fingerprint"].null_count(),
        "looked_up_to_bits": reach(max_distance),
        "share_found": {
            f"at_{bits}_bits": round(find_recall(num_compared, max_distance, bits), 3)
            for bits in sorted({max(max_distance, 0), max(reach(max_distance), 0)})
        },
    }


def find_wide(members: pl.DataFrame) -> pl.Series:
    """The ids of wide clusters, in the order of the rows."""
    known = members.drop_nulls("fingerprint")
    firsts = known.select(pl.col("photo_id").alias("cluster_id"), pl.col("fingerprint").alias("of_first"))
    known = known.join(firsts, on="cluster_id", maintain_order="left")
    if known.is_empty():
        return known["cluster_id"]
    distance = count_differences(stack_fingerprints(known["fingerprint"]), stack_fingerprints(known["of_first"]))
    return known.filter(pl.Series(distance) > known["searched_bits"])["cluster_id"].unique(maintain_order=True)
