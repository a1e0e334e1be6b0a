"""The certificate that no photo, and nothing that gives one away, stands in two splits.

Recomputed from the written tables by joins of its own: it shares no code with the splitter.
"""

from pathlib import Path

import polars as pl

LEAKS = {
    "leaked_urls": "url",
    "leaked_bytes": "sha256",
    "leaked_observations": "observation_id",
    "leaked_groups": "group_id",
    "leaked_near_duplicates": "cluster_id",
}


def count_leaks(catalogue: Path, verdicts: Path, split: Path) -> dict[str, int]:
    """How many URLs, contents, observations, groups and near-duplicate clusters occur in more than one split."""
    table = (
        pl.scan_parquet(split)
        .select("photo_id", "split", "group_id")
        .join(pl.scan_parquet(catalogue).select("photo_id", "url", "sha256", "observation_id"), on="photo_id")
        .join(pl.scan_parquet(verdicts).select("photo_id", "cluster_id"), on="photo_id")
    )
    leaks = {}
    for name, column in LEAKS.items():
        spread = table.drop_nulls(column).group_by(column).agg(pl.col("split").n_unique().alias("num_splits"))
        leaks[name] = int(spread.filter(pl.col("num_splits") > 1).select(pl.len()).collect().item())
    return leaks
