"""From kept photos to the rows of a split: where each goes, what is left out, which are in the small set."""

from collections.abc import Mapping, Sequence

import polars as pl

from fieldguide.catalogue.splits import Split
from fieldguide.catalogue.taxonomy import OTHER, Lineage
from fieldguide.files import salted_units
from fieldguide.split.held_out import find_whole, hold_out
from fieldguide.split.params import SplitParams
from fieldguide.split.splitting import draw_splits, exceeds_cap, honour_given


def assign_splits(photos: pl.DataFrame, params: SplitParams) -> tuple[pl.DataFrame, dict[str, Split]]:
    """`photos` of `read_kept` with `split` (null beside held-out photos), and the labels that are held out.

    Raises CatalogueError where a split that the source should give is missing, or a list of held-out names is.
    """
    labels = photos["label"].unique().sort().to_list()
    whole = find_whole([label for label in labels if label != OTHER], params.held_out, params.salt)
    if params.given:
        photos = photos.with_columns(honour_given(photos, params.given, params.ratios))
    else:
        photos = photos.with_columns(draw_splits(photos["position"], params.ratios))
    if whole or params.held_out.seen:
        photos = hold_out(photos, whole, params.held_out.seen)
    return photos, whole


def leave_out(photos: pl.DataFrame, class_cap: int | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The photos that stay, and of those that do not photo_id and reason: `beside_held_out` or `class_cap`."""
    reason = (
        pl.when(pl.col("split").is_null())
        .then(pl.lit("beside_held_out"))
        .when(exceeds_cap(photos, class_cap) if class_cap else pl.lit(value=False))
        .then(pl.lit("class_cap"))
    )
    photos = photos.with_columns(reason.alias("left_out"))
    left_out = photos.drop_nulls("left_out").select("photo_id", pl.col("left_out").alias("reason"))
    return photos.filter(pl.col("left_out").is_null()).drop("left_out"), left_out


def tabulate_split(photos: pl.DataFrame, names: Mapping[str, Lineage], ranks: Sequence[str]) -> pl.DataFrame:
    """One row per photo: photo_id, split, group_id, observation_id, region, latitude and longitude of its cell, month
    (1 to 12), label and its class at each of `ranks`.

    `names` are those that `close_taxonomy` gives for every label.
    """
    by_rank = {rank: {label: classes[rank] for label, classes in names.items()} for rank in ranks}
    return photos.select(
        "photo_id",
        "split",
        "group_id",
        "observation_id",
        "region",
        "latitude",
        "longitude",
        pl.col("date").str.slice(5, 2).cast(pl.Int8, strict=False).alias("month"),
        "label",
        *(pl.col("label").replace_strict(by_rank[rank]).alias(rank) for rank in ranks),
    )


def draw_small(rows: pl.DataFrame, fraction: float, salt: str) -> pl.DataFrame:
    """photo_id of the training photos that belong to the small set for trials, drawn by group."""
    train = rows.filter(pl.col("split") == Split.TRAIN)
    groups = train["group_id"].unique()
    small = groups.filter(pl.Series(salted_units(f"{salt}/train_small", groups) < fraction, dtype=pl.Boolean))
    return train.filter(pl.col("group_id").is_in(small.implode())).select("photo_id")
