"""labels.parquet: what is known of every record without opening one, in record order.

Columns: split, photo_id, region (null where it is unknown), sha256 (of the original, 32 bytes), then the class index
at each rank of the taxonomy.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import RecordError
from fieldguide.records.features import Description
from fieldguide.records.manifest import LABELS, Manifest


def tabulate_labels(described: Sequence[Description], taxonomy: Taxonomy) -> pl.DataFrame:
    """The rows of one shard, all columns but `split`. Every label must be a class of the taxonomy."""
    columns: dict[str, pl.Series] = {
        "photo_id": pl.Series([each.photo_id for each in described], dtype=pl.String),
        "region": pl.Series([each.region for each in described], dtype=pl.String),
    }
    columns["sha256"] = pl.Series([bytes.fromhex(each.sha256) for each in described], dtype=pl.Binary)
    for rank in taxonomy.ranks:
        index = taxonomy.index(rank)
        columns[rank] = pl.Series([index[each.labels[rank]] for each in described], dtype=pl.Int32)
    return pl.DataFrame(columns)


def read_labels(directory: Path, manifest: Manifest, split: str) -> pl.DataFrame:
    """The rows of one split, in record order. Raises RecordError unless the table is the one the manifest names."""
    path = directory / LABELS
    manifest.check_table(directory, LABELS)
    # Digests cannot be compressed and few want them.
    rows = pl.scan_parquet(path).filter(pl.col("split") == split).select(pl.all().exclude("sha256")).collect()
    if len(rows) != (wanted := manifest.split(split).num_records):
        raise RecordError(f"{path}: {len(rows)} records of {split}, the manifest says {wanted}")
    return rows


def read_digests(directory: Path, split: str) -> np.ndarray:
    """SHA-256 of the original of every record of a split, in record order: uint8 [num_records, 32]."""
    digests = pl.scan_parquet(directory / LABELS).filter(pl.col("split") == split).select("sha256").collect()["sha256"]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
