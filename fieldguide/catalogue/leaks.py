"""The certificate that no photo, and nothing that gives one away, stands in two splits.

Recomputed from the written tables by joins of its own: it shares no code with the splitter.
"""

from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

LEAKS = {
    "urls": "url",
    "bytes": "sha256",
    "observations": "observation_id",
    "groups": "group_id",
    "near_duplicates": "cluster_id",
}


def count_leaks(catalogue: Path, verdicts: Path, split: Path) -> dict[str, Any]:
    """How many URLs, contents, observations, groups and near-duplicate clusters occur in more than one split.

    `leaked_urls` and so on in all, and under `leaks` the same for each two splits: `{"train-val": {"urls": 0, ...}}`.
    """
    table = (
        pl.scan_parquet(split)
        .select("photo_id", "split", "group_id")
        .join(pl.scan_parquet(catalogue).select("photo_id", "url", "sha256", "observation_id"), on="photo_id")
        .join(pl.scan_parquet(verdicts).select("photo_id", "cluster_id"), on="photo_id")
    )
    names = pl.scan_parquet(split).select(pl.col("split").unique()).collect()["split"].sort().to_list()
    pairs = {f"{one}-{other}": {one, other} for one, other in combinations(names, 2)}
    totals: dict[str, int] = {}
    by_pair: dict[str, dict[str, int]] = {pair: {} for pair in pairs}
    for name, column in LEAKS.items():
        # Of millions of values next to none are shared: only these come out of the query.
        shared = (
            table.drop_nulls(column)
            .group_by(column)
            .agg(pl.col("split").unique())
            .filter(pl.col("split").list.len() > 1)
            .collect()["split"]
        )
        totals[f"leaked_{name}"] = len(shared)
        for pair, both in pairs.items():
            by_pair[pair][name] = sum(both <= set(splits) for splits in shared)
    return {**totals, "leaks": by_pair}
