"""A verdict and a reason for every photo of a catalogue.

Reasons are tried in the order of REASONS; a row gets the first that applies. Duplicates are looked for only among rows
that passed everything before, so a broken or unlicensed photo never displaces a good one. Rows that show the same
picture (one URL, the same bytes, or near-duplicates, through any number of others) form a cluster. First its labels are
compared, then one member, the canonical one, is kept.
"""

from collections.abc import Iterable

import polars as pl

from fieldguide.clean.decisions import NOTHING_DECIDED, Decisions
from fieldguide.clean.forgotten import Forgotten
from fieldguide.clean.near_duplicates import LookAt, cluster_near_duplicates
from fieldguide.clean.params import Canonical, CleanParams
from fieldguide.clean.reasons import KEPT, NEAR_DUPLICATE, OF_A_PHOTO, OF_A_PICTURE, Reason
from fieldguide.clean.screening import FACTS
from fieldguide.images.fingerprints import stack_fingerprints

NEEDED = ("photo_id", "status", "licence", "label", "url", "sha256", "shard", "offset", "num_bytes")


def judge_photos(
    catalogue: pl.DataFrame,
    facts: pl.DataFrame,
    params: CleanParams,
    forgotten: Forgotten,
    look_at: LookAt,
    decisions: Decisions = NOTHING_DECIDED,
) -> pl.DataFrame:
    """The verdicts of docs/formats.md, one row per catalogue row in its order; `facts` come from `inspect_photos`."""
    table = catalogue.select(NEEDED).join(facts, on=["shard", "offset"], how="left", maintain_order="left")
    is_forgotten = forgotten.find(catalogue, table["fingerprint"]).is_not_null()
    table = table.with_row_index("row").with_columns(is_forgotten.alias("is_forgotten"), *decisions.columns())
    table = table.with_columns(pl.coalesce("new_label", "label").alias("label"))
    table = table.with_columns(
        _first_that_applies(OF_A_PHOTO, params).alias("reason"), pl.lit(None, pl.UInt32).alias("original")
    )
    table = _find_clusters(table, params.near_duplicate_distance, look_at)
    table = _compare_labels(table)
    table = table.with_columns(_rank(params.canonical).cast(pl.UInt32).alias("rank"))
    for reason in OF_A_PICTURE:
        table = _drop_repeats(table, reason, params) if reason.repeats else _apply(table, reason, params)
    # Rows that were dropped for an earlier reason than a near-duplicate's get no cluster.
    has_cluster = pl.col("reason").is_in([NEAR_DUPLICATE, KEPT])
    table = table.with_columns(pl.when(has_cluster).then("cluster").alias("cluster"))
    ids = table["photo_id"]
    return table.select(
        "photo_id",
        pl.when(pl.col("reason") == KEPT).then(pl.lit("keep")).otherwise(pl.lit("drop")).alias("verdict"),
        "reason",
        ids.gather(table["original"]).alias("duplicate_of"),
        ids.gather(table["cluster"]).alias("cluster_id"),
        "labels_differ",
        "new_label",
        "searched_bits",
        *(name for name in FACTS if name != "flaw"),
    )


def _first_that_applies(reasons: Iterable[Reason], params: CleanParams) -> pl.Expr:
    first = pl.lit(None, pl.String)
    for reason in reversed(tuple(reasons)):
        first = pl.when(reason.applies(params)).then(pl.lit(reason.name)).otherwise(first)
    return first


def _rank(canonical: Canonical) -> pl.Expr:
    """The order in which the members of a cluster are preferred."""
    if canonical is Canonical.FIRST:
        return pl.col("row")
    pixels = pl.col("width").cast(pl.Int64) * pl.col("height")
    return pl.struct(-pixels, "row").rank("ordinal")


def _apply(table: pl.DataFrame, reason: Reason, params: CleanParams) -> pl.DataFrame:
    """Give `reason` to the rows without one of which it is true."""
    holds = pl.col("reason").is_null() & reason.applies(params)
    return table.with_columns(pl.when(holds).then(pl.lit(reason.name)).otherwise("reason").alias("reason"))


def _drop_repeats(table: pl.DataFrame, reason: Reason, params: CleanParams) -> pl.DataFrame:
    """Of the rows without a reason that share a value in `reason.repeats`, drop all but that of the lowest `rank`."""
    assert reason.repeats
    holds = pl.col("reason").is_null() & reason.applies(params)
    good = table.filter(holds).select("row", reason.repeats, "rank")
    first = good.group_by(reason.repeats).agg(pl.col("row").get(pl.col("rank").arg_min()).alias("first"))
    found = good.join(first, on=reason.repeats).select("row", "first")
    table = table.join(found, on="row", how="left", maintain_order="left")
    repeats = pl.col("first") != pl.col("row")
    return table.with_columns(
        pl.when(repeats).then(pl.lit(reason.name)).otherwise("reason").alias("reason"),
        pl.when(repeats).then("first").otherwise("original").alias("original"),
    ).drop("first")


def _find_clusters(table: pl.DataFrame, max_distance: int, look_at: LookAt) -> pl.DataFrame:
    """Add, of every row without a reason yet, `cluster`, the first row that shows the same picture; `searched_bits`."""
    good = table.filter(pl.col("reason").is_null()).select(
        "row", "url", "sha256", "fingerprint", "shard", "offset", "num_bytes"
    )
    # One URL was fetched once and has one content, but for the same path under two roots.
    good = good.with_columns(pl.col("row").min().over("url").alias("first"))
    good = good.with_columns(pl.col("first").min().over("sha256"))
    distinct = good.filter(pl.col("row") == pl.col("first"))
    distinct = distinct.drop_nulls("fingerprint")
    places = distinct.select("shard", "offset", "num_bytes")
    clusters = cluster_near_duplicates(stack_fingerprints(distinct["fingerprint"]), places, max_distance, look_at)
    near = distinct.select(
        pl.col("row").alias("first"),
        pl.col("row").gather(clusters.first).alias("cluster"),
        pl.Series("searched_bits", clusters.searched_bits, pl.Int16),
    ).with_columns(pl.when(pl.col("searched_bits") >= 0).then("searched_bits"))
    found = good.select("row", "first").join(near, on="first", how="left")
    found = found.select("row", pl.coalesce("cluster", "first").alias("cluster"), "searched_bits")
    return table.join(found, on="row", how="left", maintain_order="left")


def _compare_labels(table: pl.DataFrame) -> pl.DataFrame:
    """Add `labels_differ` (in the row's cluster) and `has_majority_label` (its own is the most frequent one there)."""
    votes = table.drop_nulls(["cluster", "label"]).group_by("cluster", "label").len()
    torn = votes.filter(pl.len().over("cluster") > 1)
    most = torn.filter(pl.col("len") == pl.col("len").max().over("cluster"))
    won = most.filter(pl.len().over("cluster") == 1).select("cluster", pl.col("label").alias("winner"))
    is_torn = pl.col("cluster").is_in(torn["cluster"].unique().implode()) & pl.col("cluster").is_not_null()
    return (
        table.join(won, on="cluster", how="left", maintain_order="left")
        .with_columns(
            is_torn.alias("labels_differ"),
            (pl.col("label") == pl.col("winner")).fill_null(value=False).alias("has_majority_label"),
        )
        .drop("winner")
    )
