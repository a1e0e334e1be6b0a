"""Divide the kept photos into train, val and test, and fix the class list of every rank."""

from pathlib import Path

import polars as pl

from fieldguide.catalogue.splits import DRAWN, Split
from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.catalogue.taxonomy_table import Taxa, read_taxa
from fieldguide.drawing import save_figure
from fieldguide.errors import CatalogueError
from fieldguide.files import salted_units, write_table, written_whole
from fieldguide.split.charts import draw_long_tail, draw_regions
from fieldguide.split.class_lists import close_taxonomy
from fieldguide.split.held_out import find_unseen, hold_out
from fieldguide.split.leaks import count_leaks
from fieldguide.split.params import SplitParams
from fieldguide.split.splitting import (
    draw_positions,
    draw_splits,
    exceeds_cap,
    find_groups,
    guarantee_minimum,
    honour_given,
)
from fieldguide.split.statistics import count_per_bin, count_per_class, describe_regions
from fieldguide.stage import Metrics, run_stage

NEEDED = ("photo_id", "source_row", "label", "region", "licence")
NAMES = ("source", "url", "sha256")
"""By which a list may name a photo; at ten million rows they take a gigabyte, so they are read for a list only."""


def split(params: SplitParams, *, fetch: Path, clean: Path, out: Path, reports: Path) -> Metrics:
    """Write split.parquet, left_out.parquet, classes.csv and taxonomy.json, and figures below `reports`.

    Raises CatalogueError if nothing was kept, or a column, a list or the taxonomy is not what the params say.
    """
    taxa = read_taxa(params.taxonomy, params.ranks) if params.taxonomy else None
    photos = _read_kept(params, fetch, clean, taxa)
    labels = photos["label"].unique().sort().to_list()
    unseen = find_unseen([label for label in labels if label != OTHER], params.held_out, params.salt)
    if params.given:
        photos = photos.with_columns(honour_given(photos, params.given, params.ratios))
    else:
        photos = photos.with_columns(draw_splits(photos["position"], params.ratios))
    if unseen or params.held_out.seen:
        photos = hold_out(photos, unseen, params.held_out.seen)
    drawn = photos.group_by("label").agg(pl.col("split").is_in(DRAWN).sum()).sort("label")
    taxonomy, names = close_taxonomy(dict(drawn.iter_rows()), taxa, params.ranks, params.min_samples)
    if params.min_eval_photos:
        photos = guarantee_minimum(
            photos, params.min_eval_photos, {label: classes[params.ranks[0]] for label, classes in names.items()}
        )

    photos = photos.with_columns(
        pl.when(pl.col("split").is_null())
        .then(pl.lit("beside_held_out"))
        .when(exceeds_cap(photos, params.class_cap) if params.class_cap else pl.lit(value=False))
        .then(pl.lit("class_cap"))
        .alias("left_out")
    )
    left_out = photos.drop_nulls("left_out").select("photo_id", pl.col("left_out").alias("reason"))
    photos = photos.filter(pl.col("left_out").is_null())
    ranked = {rank: {label: classes[rank] for label, classes in names.items()} for rank in params.ranks}
    rows = photos.select(
        "photo_id",
        "split",
        "group_id",
        "region",
        "label",
        *(pl.col("label").replace_strict(ranked[rank]).alias(rank) for rank in params.ranks),
        _draw_small(photos, params).alias("train_small"),
    )

    top = params.ranks[0]
    per_class = count_per_class(rows, top, taxonomy.classes[top], params.frequency)
    regions = _classes_of_regions(rows, top)
    statistics = describe_regions(rows.with_columns(photos["licence"]), top, regions)
    taxonomy.model_copy(update={"regions": regions}).write(out / "taxonomy.json")
    with written_whole(out / "classes.csv") as temporary:
        per_class.write_csv(temporary)
    write_table(left_out, out / "left_out.parquet")
    write_table(rows, out / "split.parquet")
    save_figure(draw_long_tail(per_class, params.frequency), reports / "long-tail.png")
    save_figure(draw_regions(statistics), reports / "regions.png")
    leaks = count_leaks(fetch / "catalogue.parquet", clean / "verdicts.parquet", out / "split.parquet")
    sizes = dict(rows.group_by("split").len().iter_rows())
    return {
        "num_photos": {part.value: sizes.get(part, 0) for part in Split if part in DRAWN or part in sizes},
        "num_train_small": int(rows["train_small"].sum()),
        "num_left_out": dict(left_out.group_by("reason").len().sort("reason").iter_rows()),
        "num_classes": {rank: len(taxonomy.classes[rank]) for rank in params.ranks},
        "num_classes_seen": {part.value: int((per_class[part.value] > 0).sum()) for part in DRAWN},
        "num_merged_into_other": len(taxonomy.merged_into_other),
        "num_unseen_species": len(unseen),
        "frequency": count_per_bin(per_class),
        "regions": statistics,
        **leaks,
    }


def _read_kept(params: SplitParams, fetch: Path, clean: Path, taxa: Taxa | None) -> pl.DataFrame:
    """The photos that clean kept: NEEDED, the columns that the params ask for, group_id and position."""
    catalogue = pl.scan_parquet(fetch / "catalogue.parquet")
    columns = catalogue.collect_schema().names()
    for column in params.group_by:
        if column not in columns:
            raise CatalogueError(f"split.group_by: no column '{column}'; found {', '.join(columns)}")
    wanted = {*params.group_by, params.given, *(NAMES if params.held_out.seen else ())}
    extra = [name for name in columns if name in wanted and name not in NEEDED]
    verdicts = pl.read_parquet(clean / "verdicts.parquet", columns=["photo_id", "verdict", "cluster_id"])
    # Verdicts stand in catalogue order, so no join: at ten million rows it would cost the most of all.
    listed = catalogue.select(*NEEDED, *extra).collect()
    if not listed["photo_id"].equals(verdicts["photo_id"]):
        raise CatalogueError(f"{clean}: verdicts are not those of {fetch}'s catalogue; run the clean stage again")
    photos = listed.with_columns(verdicts["cluster_id"]).filter(verdicts["verdict"] == "keep")
    if photos.is_empty():
        raise CatalogueError(f"{clean}: none of {len(listed)} photos was kept; metrics/clean.json says why")
    label = pl.col("label").replace(taxa.synonyms) if taxa and taxa.synonyms else pl.col("label")
    photos = photos.with_columns(
        label.fill_null(OTHER), find_groups(photos, [*params.group_by, "cluster_id"]).alias("group_id")
    )
    return photos.with_columns(draw_positions(photos["group_id"], params.salt))


def _draw_small(photos: pl.DataFrame, params: SplitParams) -> pl.Expr:
    """Which training photos belong to the small set for trials, drawn by group."""
    if not params.train_small:
        return pl.lit(value=False)
    taught = photos.filter(pl.col("split") == Split.TRAIN)["group_id"].unique()
    small = taught.filter(pl.Series(salted_units(f"{params.salt}/train_small", taught) < params.train_small))
    return (pl.col("split") == Split.TRAIN) & pl.col("group_id").is_in(small.implode())


def _classes_of_regions(rows: pl.DataFrame, rank: str) -> dict[str, list[str]]:
    """The classes with training photos in each region, `other` first where it is one of them."""
    taught = rows.filter(pl.col("split") == Split.TRAIN).drop_nulls("region")
    held = taught.group_by("region").agg(pl.col(rank).unique()).sort("region")
    return {region: sorted(names, key=lambda name: (name != OTHER, name)) for region, names in held.iter_rows()}


if __name__ == "__main__":
    run_stage(split)
