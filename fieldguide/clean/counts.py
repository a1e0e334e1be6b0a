"""What the verdicts come to: counts for metrics/clean.json, and the limit on photos that are of no use."""

from typing import Any

import polars as pl

from fieldguide.clean.reasons import KEPT, REASONS, UNUSABLE
from fieldguide.errors import PhotoError


def check_failure_rate(verdicts: pl.DataFrame, max_failure_rate: float) -> None:
    """Raise PhotoError naming the reasons if too many photos are of no use and have no replacement."""
    unusable = count_by(verdicts.filter(pl.col("replaced_by").is_null() & pl.col("reason").is_in(UNUSABLE))["reason"])
    if sum(unusable.values()) > max_failure_rate * len(verdicts):
        raise PhotoError(
            f"{sum(unusable.values())} of {len(verdicts)} photos cannot be used, more than "
            f"clean.max_failure_rate {max_failure_rate} allows: "
            f"{', '.join(f'{reason} {count}' for reason, count in unusable.items())}"
        )


def count_verdicts(verdicts: pl.DataFrame) -> dict[str, Any]:
    """Photos by reason, and of those that can be used formats, modes and how many are stored turned."""
    counts = count_by(verdicts["reason"])
    usable = verdicts.filter(~pl.col("reason").is_in(UNUSABLE))
    return {
        "num_photos": len(verdicts),
        "num_kept": counts.get(KEPT, 0),
        "reasons": {reason.name: counts.get(reason.name, 0) for reason in REASONS},
        "num_replaced": verdicts["replaced_by"].count(),
        "num_pictures_with_conflicting_labels": verdicts.filter("labels_differ")["cluster_id"].drop_nulls().n_unique(),
        "formats": count_by(usable["format"]),
        "modes": count_by(usable["mode"]),
        "num_turned": usable.filter(pl.col("exif_orientation") > 1).height,
    }


def count_by(values: pl.Series) -> dict[str, int]:
    """How often each value occurs, the most frequent first, ties in alphabetical order; nulls left out."""
    counts = values.drop_nulls().value_counts(name="count").sort("count", values.name, descending=[True, False])
    return dict(counts.iter_rows())
