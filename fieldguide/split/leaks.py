"""The certificate that no photo, and nothing that gives one away, stands in two splits.

Recomputed from the written tables by joins of its own: it shares no code with the splitter. Of near-duplicates it knows
those that clean found, so it says how far clean looked.
"""

from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from fieldguide.errors import CatalogueError

IN_CATALOGUE = {"urls": "url", "bytes": "sha256", "observations": "observation_id"}
IN_SPLIT = {"groups": "group_id"}
IN_VERDICTS = {"near_duplicates": "cluster_id"}


def count_leaks(catalogue: Path, verdicts: Path, split: Path) -> dict[str, Any]:
    """How many URLs, contents, observations, groups and near-duplicate clusters occur in more than one split.

    `leaked_urls` and so on in all, and under `leaks` the same for each two splits: `{"train-val": {"urls": 0, ...}}`;
    under `near_duplicates_searched` what the last number rests on.
    Raises CatalogueError if a photo of the split is in one of the other tables not at all or twice.
    """
    divided = pl.read_parquet(split, columns=["photo_id", "split"])
    names = divided["split"].unique().sort().to_list()
    divided = divided.with_columns(pl.col("split").replace_strict({name: number for number, name in enumerate(names)}))
    pairs = {f"{names[one]}-{names[other]}": {one, other} for one, other in combinations(range(len(names)), 2)}
    totals: dict[str, int] = {}
    by_pair: dict[str, dict[str, int]] = {pair: {} for pair in pairs}
    for table, columns in ((catalogue, IN_CATALOGUE), (split, IN_SPLIT), (verdicts, IN_VERDICTS)):
        of_row = _split_of_each_row(table, divided)
        for name, column in columns.items():
            shared = _find_shared(pl.read_parquet(table, columns=[column])[column], of_row)
            totals[f"leaked_{name}"] = len(shared)
            for pair, both in pairs.items():
                by_pair[pair][name] = sum(both <= set(splits) for splits in shared)
    return {**totals, "leaks": by_pair, "near_duplicates_searched": _describe_search(verdicts, divided)}


def _describe_search(verdicts: Path, divided: pl.DataFrame) -> dict[str, Any]:
    """Up to how many differing bits near-duplicates of the photos were looked for, and of how many not that far."""
    bits = pl.read_parquet(verdicts, columns=["photo_id", "searched_bits"]).join(divided, on="photo_id", how="semi")
    searched = bits["searched_bits"].drop_nulls()
    furthest = searched.max()
    return {
        "bits": furthest,
        "num_photos_less_far": int((searched < furthest).sum()) if len(searched) else 0,
        "num_photos_not_at_all": bits["searched_bits"].null_count(),
    }


def _split_of_each_row(table: Path, divided: pl.DataFrame) -> pl.Series:
    """The number of the split that each row's photo stands in, null for photos in none."""
    photos = pl.read_parquet(table, columns=["photo_id"])
    of_row = photos.join(divided, on="photo_id", how="left", maintain_order="left")["split"]
    if len(of_row) - of_row.null_count() != len(divided):
        raise CatalogueError(f"{table}: expected each of the {len(divided)} photos of the split once")
    return of_row


def _find_shared(values: pl.Series, of_row: pl.Series) -> pl.Series:
    """For every value that stands in several splits, the list of them."""
    table = pl.DataFrame({"value": values, "split": of_row}).drop_nulls()
    # Numbers are grouped much faster than text. Two values may share a hash, so its finds are checked on the values.
    table = table.with_columns(pl.col("value").hash().alias("hash"))
    split = pl.col("split")
    suspects = table.group_by("hash").agg(split.min().alias("least"), split.max().alias("most"))
    suspects = suspects.filter(pl.col("least") != pl.col("most"))
    found = table.join(suspects, on="hash", how="semi").group_by("value").agg(split.unique())
    return found.filter(split.list.len() > 1)["split"]
