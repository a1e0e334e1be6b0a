"""Divide the kept photos into train, val and test, and fix the class list of every rank."""

from pathlib import Path
from typing import Annotated

import polars as pl
from pydantic import Field, NonNegativeInt, model_validator

from fieldguide.catalogue.leaks import count_leaks
from fieldguide.catalogue.splitting import Split, draw_split, find_groups, honour_given
from fieldguide.catalogue.taxonomy import OTHER, close_taxonomy, read_lineages
from fieldguide.errors import CatalogueError
from fieldguide.files import write_table
from fieldguide.params import Section
from fieldguide.stage import Metrics, run_stage

Ratio = Annotated[float, Field(ge=0, le=1)]


class SplitParams(Section):
    """How photos are divided and which taxa become classes."""

    ranks: Annotated[list[str], Field(min_length=1)]
    taxonomy: Path | None
    min_samples: NonNegativeInt
    ratios: dict[Split, Ratio]
    salt: str
    group_by: list[str]
    given: str | None

    @model_validator(mode="after")
    def _ratios_are_a_whole(self) -> "SplitParams":
        if set(self.ratios) != set(Split) or abs(sum(self.ratios.values()) - 1) > 1e-9:
            raise ValueError(f"ratios must name train, val and test and sum to 1; got {self.ratios}")
        return self


def split(params: SplitParams, *, fetch: Path, clean: Path, out: Path) -> Metrics:
    """Write split.parquet and taxonomy.json. Raises CatalogueError if nothing was kept or a group column is unknown."""
    catalogue = pl.read_parquet(fetch / "catalogue.parquet")
    verdicts = pl.read_parquet(clean / "verdicts.parquet").select("photo_id", "verdict", "cluster_id")
    kept = catalogue.join(verdicts, on="photo_id", maintain_order="left").filter(pl.col("verdict") == "keep")
    if kept.is_empty():
        raise CatalogueError(f"{clean}: none of {len(catalogue)} photos was kept; metrics/clean.json says why")
    for column in params.group_by:
        if column not in kept.columns:
            raise CatalogueError(f"split.group_by: no column '{column}'; found {', '.join(kept.columns)}")

    kept = kept.with_columns(
        pl.col("label").fill_null(OTHER), pl.Series("group_id", find_groups(kept, [*params.group_by, "cluster_id"]))
    )
    if params.given:
        splits = honour_given(kept, params.given)
    else:
        splits = [draw_split(group, params.salt, params.ratios) for group in kept["group_id"]]

    counts = dict(kept.group_by("label").len().sort("label").iter_rows())
    table = read_lineages(params.taxonomy, params.ranks) if params.taxonomy else None
    taxonomy, names = close_taxonomy(counts, table, params.ranks, params.min_samples)
    ranked = {rank: [names[label][rank] for label in kept["label"]] for rank in params.ranks}
    rows = kept.select(
        "photo_id", pl.Series("split", [str(part) for part in splits]), "group_id", "region", "label"
    ).with_columns(pl.Series(rank, column) for rank, column in ranked.items())

    top = params.ranks[0]
    taught = rows.filter(pl.col("split") == Split.TRAIN).drop_nulls("region")
    regions = {
        region: [name for name in taxonomy.classes[top] if name in set(part[top])]
        for (region,), part in sorted(taught.group_by("region"), key=lambda item: str(item[0][0]))
    }
    taxonomy.model_copy(update={"regions": regions}).write(out / "taxonomy.json")
    write_table(rows, out / "split.parquet")
    leaks = count_leaks(fetch / "catalogue.parquet", clean / "verdicts.parquet", out / "split.parquet")
    sizes = dict(rows.group_by("split").len().iter_rows())
    per_class = rows.group_by(top, "split").len()
    return {
        "num_photos": {part.value: sizes.get(part, 0) for part in Split},
        "num_classes": {rank: len(taxonomy.classes[rank]) for rank in params.ranks},
        "num_classes_seen": {
            part.value: per_class.filter(pl.col("split") == part).select(top).n_unique() for part in Split
        },
        "num_bundled": len(taxonomy.bundled),
        "regions": {region: len(part) for (region,), part in sorted(taught.group_by("region"), key=str)},
        **leaks,
    }


if __name__ == "__main__":
    run_stage(split)
