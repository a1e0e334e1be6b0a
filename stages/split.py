"""Divide the kept photos into train, val and test, and fix the class list of every rank."""

from dataclasses import astuple
from pathlib import Path

import polars as pl

from fieldguide.catalogue.splits import DRAWN, Split
from fieldguide.catalogue.taxonomy_table import read_taxa
from fieldguide.drawing import save_figure
from fieldguide.files import write_table
from fieldguide.split.assembling import assign_splits, draw_small, leave_out, tabulate_split
from fieldguide.split.charts import draw_long_tail, draw_regions
from fieldguide.split.class_lists import close_taxonomy, count_drawn, list_region_classes
from fieldguide.split.kept import read_kept
from fieldguide.split.labels import find_unknown
from fieldguide.split.leaks import count_leaks
from fieldguide.split.params import SplitParams
from fieldguide.split.splitting import guarantee_minimum
from fieldguide.split.statistics import count_per_bin, count_per_class, describe_regions
from fieldguide.spreadsheet import write_csv
from fieldguide.stage import Metrics, run_stage


def split(params: SplitParams, *, fetch: Path, clean: Path, out: Path, reports: Path) -> Metrics:
    """Write split.parquet, train_{all,small}.parquet, left_out.parquet and taxonomy.json; figures to `reports`.

    Raises CatalogueError if nothing was kept, or a column, a list or the taxonomy is not what the params say.
    """
    top = params.ranks[0]
    taxa = read_taxa(params.taxonomy, params.ranks) if params.taxonomy else None
    photos = read_kept(params, fetch, clean, taxa)
    photos, whole = assign_splits(photos, params)
    species = photos.filter(pl.col("split").ne_missing(Split.BLANK.value))
    unknown = find_unknown(species["label"], taxa) if taxa else []
    taxonomy, names = close_taxonomy(count_drawn(photos), taxa, params.ranks, params.min_samples)
    if params.min_eval_photos:
        class_of = {label: classes[top] for label, classes in names.items()}
        photos = guarantee_minimum(photos, params.min_eval_photos, class_of)
    photos, left_out = leave_out(photos, params.class_cap)
    rows = tabulate_split(photos, names, params.ranks)
    small = draw_small(rows, params.train_small, params.salt)

    regions = list_region_classes(rows, top)
    per_class = count_per_class(rows, top, taxonomy.classes[top], params.frequency)
    statistics = describe_regions(rows.with_columns(photos["licence"]), top, regions)
    taxonomy.model_copy(update={"regions": regions}).write(out / "taxonomy.json")
    write_csv(reports / "classes.csv", per_class.columns, per_class.iter_rows())
    write_csv(reports / "unknown-labels.csv", ("label", "num_photos", "nearest"), map(astuple, unknown))
    write_table(left_out, out / "left_out.parquet")
    write_table(rows, out / "split.parquet")
    # A file for each value of `train_set`: a learning stage depends on that one alone.
    write_table(rows.filter(pl.col("split") == Split.TRAIN).select("photo_id"), out / "train_all.parquet")
    write_table(small, out / "train_small.parquet")
    save_figure(draw_long_tail(per_class, params.frequency), reports / "long-tail.png")
    save_figure(draw_regions(statistics), reports / "regions.png")
    leaks = count_leaks(fetch / "catalogue.parquet", clean / "verdicts.parquet", out / "split.parquet")
    sizes = dict(rows.group_by("split").len().iter_rows())
    return {
        "num_photos": {part.value: sizes.get(part, 0) for part in Split if part in DRAWN or part in sizes},
        "num_train_small": len(small),
        "num_left_out": dict(left_out.group_by("reason").len().sort("reason").iter_rows()),
        "num_classes": {rank: len(taxonomy.classes[rank]) for rank in params.ranks},
        "num_classes_seen": {part.value: int((per_class[part.value] > 0).sum()) for part in DRAWN},
        "num_merged_into_other": len(taxonomy.merged_into_other),
        "num_unknown_labels": len(unknown),
        "num_unseen_species": list(whole.values()).count(Split.UNSEEN),
        "frequency": count_per_bin(per_class),
        "regions": statistics,
        **leaks,
    }


if __name__ == "__main__":
    run_stage(split)
