"""The photos that are looked at: their features, labels and groups, and where they came from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from fieldguide.catalogue.splits import DRAWN, Split
from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.learn.embedded import read_embeddings
from fieldguide.records.manifest import Manifest
from fieldguide.records.reader import Record, RecordSet


@dataclass(frozen=True)
class Examined:
    """Some photos of train, val and test, in this order; n rows each."""

    table: pl.DataFrame
    """photo_id, split, position among its records, class_index at the first rank; group_id, source and source_row, null
    where they are not known."""
    features: np.ndarray
    """float32 [n, dim]."""
    classes: list[str]
    """Of the first rank; `other` is the first."""
    records: dict[str, RecordSet]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def labels(self) -> np.ndarray:
        """Class index at the first rank: int64 [n]."""
        return self.table["class_index"].to_numpy()

    @property
    def is_train(self) -> np.ndarray:
        """bool [n]."""
        return (self.table["split"] == Split.TRAIN).to_numpy()

    @property
    def is_named(self) -> np.ndarray:
        """Whether the label is a class and not `other`, which is none: bool [n]."""
        return self.labels != self.classes.index(OTHER)

    def record(self, row: int) -> Record:
        """The photo itself."""
        place = self.table.row(row, named=True)
        return self.records[place["split"]][place["position"]]


def examine(tfrecord: Path, embed: Path, fetch: Path | None, split: Path | None, max_photos: int) -> Examined:
    """At most `max_photos` of each split, from the folders of the stages; records lie in a random order, so the first.

    Raises RecordError where the embeddings are of other records.
    """
    parts = [part.value for part in DRAWN if part.value in Manifest.read(tfrecord).splits]
    records = {part: RecordSet.open(tfrecord, part) for part in parts}
    tables, features = [], []
    for part, photos in records.items():
        num = min(len(photos), max_photos)
        rank = photos.taxonomy.ranks[0]
        tables.append(
            pl.DataFrame(
                {
                    "photo_id": photos.photo_ids[:num],
                    "split": [part] * num,
                    "position": np.arange(num),
                    "class_index": photos.labels(rank)[:num],
                },
                schema={"photo_id": pl.String, "split": pl.String, "position": pl.Int64, "class_index": pl.Int64},
            )
        )
        features.append(np.asarray(read_embeddings(embed, photos)[:num], np.float32))
    table = pl.concat(tables)
    table = _look_up(table, split / "split.parquet" if split else None, ["group_id"])
    table = _look_up(table, fetch / "catalogue.parquet" if fetch else None, ["source", "source_row"])
    first = records[parts[0]]
    classes = first.taxonomy.classes[first.taxonomy.ranks[0]]
    return Examined(table, np.concatenate(features), classes, records)


def _look_up(table: pl.DataFrame, file: Path | None, columns: list[str]) -> pl.DataFrame:
    if file is None or not file.exists():
        return table.with_columns(pl.lit(None, pl.String).alias(column) for column in columns)
    known = pl.scan_parquet(file).select("photo_id", *columns)
    found = known.filter(pl.col("photo_id").is_in(table["photo_id"].implode())).collect()
    return table.join(found, on="photo_id", how="left", maintain_order="left")
