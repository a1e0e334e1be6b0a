"""The photos that clean kept, with what a split needs to know of them."""

from pathlib import Path

import polars as pl

from fieldguide.catalogue.taxonomy_table import Taxa
from fieldguide.errors import CatalogueError
from fieldguide.split.labels import settle_labels
from fieldguide.split.params import SplitParams
from fieldguide.split.splitting import draw_positions, find_groups
from fieldguide.system_errors import required

NEEDED = (
    "photo_id", "source_row", "observation_id", "label", "region", "latitude", "longitude", "date", "licence"
)  # fmt: skip
NAMES = ("source", "url", "sha256")
"""By which a list may name a photo; at ten million rows they take a gigabyte, so they are read for a list only."""


def read_kept(params: SplitParams, fetch: Path, clean: Path, taxa: Taxa | None) -> pl.DataFrame:
    """One row per kept photo in catalogue order: NEEDED, the columns that the params ask for, group_id and position.

    Labels are those that the verdicts give, else the source's, as `settle_labels` has them.
    Raises CatalogueError if nothing was kept, a column is missing, or the verdicts are of another catalogue.
    """
    catalogue = pl.scan_parquet(required(fetch / "catalogue.parquet", "fetch"))
    columns = catalogue.collect_schema().names()
    for column in params.group_by:
        if column not in columns:
            raise CatalogueError(f"split.group_by: no column '{column}'; found {', '.join(columns)}")
    wanted = {*params.group_by, params.given, *(NAMES if params.held_out.seen else ())}
    extra = [name for name in columns if name in wanted and name not in NEEDED]
    verdicts = pl.read_parquet(
        required(clean / "verdicts.parquet", "clean"), columns=["photo_id", "verdict", "cluster_id", "new_label"]
    )
    # Verdicts stand in catalogue order, so no join: at ten million rows it would cost the most of all.
    listed = catalogue.select(*NEEDED, *extra).collect()
    if not listed["photo_id"].equals(verdicts["photo_id"]):
        raise CatalogueError(f"{clean}: verdicts are not those of {fetch}'s catalogue; run the clean stage again")
    listed = listed.with_columns(verdicts["cluster_id"], pl.coalesce(verdicts["new_label"], "label").alias("label"))
    photos = listed.filter(verdicts["verdict"] == "keep")
    if photos.is_empty():
        raise CatalogueError(f"{clean}: none of {len(listed)} photos was kept; metrics/clean.json says why")
    photos = photos.with_columns(
        settle_labels(photos["label"], taxa), find_groups(photos, [*params.group_by, "cluster_id"]).alias("group_id")
    )
    return photos.with_columns(draw_positions(photos["group_id"], params.salt))
