"""A verdict and a reason for every photo of a catalogue.

Reasons are tried in the order of `Reason`; a row gets the first that applies. Duplicates are looked for only among
rows that passed everything before, so a broken or unlicensed photo never displaces a good one. Rows that show the same
picture (one URL, the same bytes, or near-duplicates, through any number of others) form a cluster. First its labels are
compared, then one member, the canonical one, is kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final

import polars as pl

from fieldguide.clean.near_duplicates import cluster_near_duplicates
from fieldguide.clean.params import Canonical, ClusterParams, OnConflict, QualityParams
from fieldguide.images.decode import Flaw
from fieldguide.images.fingerprints import stack_fingerprints


class Reason(StrEnum):
    """Why a photo is kept or dropped, in the order in which reasons are tried."""

    FETCH_FAILED = "fetch_failed"
    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    BOMB = "bomb"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    TOO_SMALL = "too_small"
    DARK = "dark"
    BRIGHT = "bright"
    BLURRED = "blurred"
    PLAIN = "plain"
    FRAMED = "framed"
    LICENCE = "licence"
    CONFLICTING_LABELS = "conflicting_labels"
    DUPLICATE_URL = "duplicate_url"
    DUPLICATE_BYTES = "duplicate_bytes"
    NEAR_DUPLICATE = "near_duplicate"
    KEPT = "kept"


UNUSABLE: Final = (Reason.FETCH_FAILED, *(Reason(flaw) for flaw in Flaw))
"""Reasons that say something is wrong with the source, not with what we want of it."""


def judge_photos(
    catalogue: pl.DataFrame,
    facts: pl.DataFrame,
    *,
    is_allowed: Callable[[str], bool],
    quality: QualityParams,
    same: ClusterParams,
) -> pl.DataFrame:
    """The verdicts of docs/formats.md, one row per catalogue row in its order.

    `facts` come from `inspect_photos`; `is_allowed` says whether a normalised licence permits the use at hand.
    """
    needed = catalogue.select("photo_id", "status", "licence", "label", "url", "sha256", "shard", "offset")
    table = needed.join(facts, on=["shard", "offset"], how="left", maintain_order="left").with_row_index("row")
    allowed = [licence for licence in table["licence"].unique() if is_allowed(licence)]
    table = table.with_columns(
        pl.when(pl.col("status") != "ok")
        .then(pl.lit(Reason.FETCH_FAILED.value))
        .when(pl.col("flaw").is_not_null())
        .then(pl.col("flaw"))
        .otherwise(_poor(quality))
        .alias("reason")
    )
    unlicensed = pl.col("reason").is_null() & ~pl.col("licence").is_in(allowed)
    table = table.with_columns(
        pl.when(unlicensed).then(pl.lit(Reason.LICENCE.value)).otherwise(pl.col("reason")).alias("reason"),
        pl.lit(None, pl.UInt32).alias("original"),
    )
    table = _find_clusters(table, same.near_duplicate_distance)
    table = _resolve_conflicts(table, same.on_conflict)
    rank = [pl.col("row")]
    if same.canonical is Canonical.LARGEST:
        pixels = pl.col("width").cast(pl.Int64) * pl.col("height")
        rank = [pl.struct(-pixels, "row").rank("ordinal")]
    table = table.with_columns(rank[0].cast(pl.UInt32).alias("rank"))
    table = _drop_all_but_first(table, "url", Reason.DUPLICATE_URL)
    table = _drop_all_but_first(table, "sha256", Reason.DUPLICATE_BYTES)
    repeated = pl.col("reason").is_null()
    table = table.with_columns(pl.when(repeated).then(pl.col("cluster")).alias("cluster"))
    if same.drop_near_duplicates:
        table = _drop_all_but_first(table, "cluster", Reason.NEAR_DUPLICATE)
    ids = table["photo_id"]
    return table.select(
        "photo_id",
        pl.when(pl.col("reason").is_null()).then(pl.lit("keep")).otherwise(pl.lit("drop")).alias("verdict"),
        pl.col("reason").fill_null(Reason.KEPT.value),
        ids.gather(table["original"]).alias("duplicate_of"),
        ids.gather(table["cluster"]).alias("cluster_id"),
        "labels_differ",
        "format",
        "mode",
        "width",
        "height",
        "exif_orientation",
        "sharpness",
        "brightness",
        "entropy",
        "border_color",
        "fingerprint",
    )


def _poor(quality: QualityParams) -> pl.Expr:
    """The first reason why a usable photo is a poor one, or null."""
    return (
        pl.when(pl.col("brightness") < quality.min_brightness)
        .then(pl.lit(Reason.DARK.value))
        .when(pl.col("brightness") > quality.max_brightness)
        .then(pl.lit(Reason.BRIGHT.value))
        .when(pl.col("sharpness") < quality.min_sharpness)
        .then(pl.lit(Reason.BLURRED.value))
        .when(pl.col("entropy") < quality.min_entropy)
        .then(pl.lit(Reason.PLAIN.value))
        .when(pl.col("border_color").is_not_null() & pl.lit(quality.drop_framed))
        .then(pl.lit(Reason.FRAMED.value))
    )


def _find_clusters(table: pl.DataFrame, max_distance: int) -> pl.DataFrame:
    """Add `cluster`: of every row without a reason yet, the first row that shows the same picture."""
    good = table.filter(pl.col("reason").is_null()).select("row", "url", "sha256", "fingerprint")
    # One URL was fetched once and has one content, but for the same path under two roots.
    good = good.with_columns(pl.col("row").min().over("url").alias("first"))
    good = good.with_columns(pl.col("first").min().over("sha256"))
    distinct = good.filter(pl.col("row") == pl.col("first"))
    nearest = cluster_near_duplicates(stack_fingerprints(distinct["fingerprint"]), max_distance)
    near = distinct.select(pl.col("row").alias("first"), pl.col("row").gather(nearest).alias("cluster"))
    found = good.select("row", "first").join(near, on="first", how="left").select("row", "cluster")
    return table.join(found, on="row", how="left", maintain_order="left")


def _resolve_conflicts(table: pl.DataFrame, on_conflict: OnConflict) -> pl.DataFrame:
    """Add `labels_differ`, and drop the rows of clusters whose labels differ as `on_conflict` says."""
    labelled = table.drop_nulls(["cluster", "label"])
    votes = labelled.group_by("cluster", "label").len()
    torn = votes.filter(pl.len().over("cluster") > 1)
    is_torn = pl.col("cluster").is_in(torn["cluster"].unique().implode()) & pl.col("cluster").is_not_null()
    table = table.with_columns(is_torn.alias("labels_differ"))
    if on_conflict is OnConflict.KEEP or torn.is_empty():
        return table
    dropped = pl.col("labels_differ")
    if on_conflict is OnConflict.KEEP_MAJORITY:
        most = torn.filter(pl.col("len") == pl.col("len").max().over("cluster"))
        won = most.filter(pl.len().over("cluster") == 1).select("cluster", pl.col("label").alias("winner"))
        table = table.join(won, on="cluster", how="left", maintain_order="left")
        dropped &= pl.col("winner").is_null() | pl.col("label").ne_missing(pl.col("winner"))
    reason = pl.when(dropped).then(pl.lit(Reason.CONFLICTING_LABELS.value)).otherwise(pl.col("reason"))
    return table.with_columns(reason.alias("reason"))


def _drop_all_but_first(table: pl.DataFrame, column: str, reason: Reason) -> pl.DataFrame:
    """Of the photos without a reason yet whose `column` is equal, drop all but that of the lowest `rank`."""
    good = table.filter(pl.col("reason").is_null()).select("row", column, "rank")
    first = good.group_by(column).agg(pl.col("row").get(pl.col("rank").arg_min()).alias("first"))
    found = good.join(first, on=column).select("row", "first")
    table = table.join(found, on="row", how="left", maintain_order="left")
    repeats = pl.col("first") != pl.col("row")
    return table.with_columns(
        pl.when(repeats).then(pl.lit(reason.value)).otherwise(pl.col("reason")).alias("reason"),
        pl.when(repeats).then(pl.col("first")).otherwise(pl.col("original")).alias("original"),
    ).drop("first")


def count_by(values: Iterable[str | None]) -> dict[str, int]:
    """How often each value occurs, the most frequent first, ties in alphabetical order; nulls left out."""
    counts: defaultdict[str, int] = defaultdict(int)
    for value in values:
        if value is not None:
            counts[value] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
