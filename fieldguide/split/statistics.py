"""What a split came to: photos per class, per bin of the long tail, and per region."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from fieldguide.catalogue.splits import DRAWN, Split
from fieldguide.split.frequency import Frequency, name_frequency
from fieldguide.split.params import FrequencyParams

ALL = "all"
DIGITS = 6


def count_per_class(rows: pl.DataFrame, rank: str, classes: Sequence[str], frequency: FrequencyParams) -> pl.DataFrame:
    """One row per class of `rank`, in their order: class, train, val, test, frequency."""
    counts = rows.group_by(rank, "split").len()
    held = {split: dict(counts.filter(pl.col("split") == split).select(rank, "len").iter_rows()) for split in DRAWN}
    table = {split.value: [held[split].get(name, 0) for name in classes] for split in DRAWN}
    bins = [name_frequency(num, frequency).value for num in table[Split.TRAIN.value]]
    return pl.DataFrame({"class": list(classes), **table, "frequency": bins})


def count_per_bin(per_class: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Classes and their training photos in each bin of the long tail."""
    return {
        name.value: {"num_classes": len(part), "num_photos": int(part["train"].sum())}
        for name in Frequency
        for part in [per_class.filter(pl.col("frequency") == name)]
    }


def describe_regions(rows: pl.DataFrame, rank: str, regions: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Photos, species, classes, photos per species and licence shares of each of `regions` and of all photos together.

    `rows` needs region, label, licence and split; held-out photos do not count.
    """
    drawn = rows.filter(pl.col("split").is_in(DRAWN))
    parts = {ALL: drawn, **{name: drawn.filter(pl.col("region") == name) for name in regions}}
    return {
        name: {
            "num_photos": len(part),
            "num_species": part["label"].n_unique(),
            "num_classes": len(regions[name]) if name in regions else part[rank].n_unique(),
            "photos_per_species": round(len(part) / max(part["label"].n_unique(), 1), DIGITS),
            "licences": _shares(part["licence"]),
        }
        for name, part in parts.items()
    }


def _shares(values: pl.Series) -> dict[str, float]:
    counts = values.value_counts(sort=False).sort("count", values.name, descending=[True, False])
    return {name: round(count / len(values), DIGITS) for name, count in counts.iter_rows()}
