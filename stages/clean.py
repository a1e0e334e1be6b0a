"""Give every photo of the catalogue a verdict and a reason. Nothing is copied."""

from pathlib import Path
from typing import Annotated

import polars as pl
from pydantic import Field, PositiveInt

from fieldguide.catalogue.licences import allows_any_use
from fieldguide.engine import EngineParams
from fieldguide.errors import PhotoError
from fieldguide.files import write_table
from fieldguide.params import Section
from fieldguide.photos.screening import UNUSABLE, Reason, count_by, inspect_photos, judge_photos
from fieldguide.stage import Metrics, run_stage


class CleanParams(Section):
    """What a usable photo is."""

    min_side: PositiveInt
    max_megapixels: Annotated[float, Field(gt=0)]
    production_only: bool
    near_duplicate_distance: Annotated[int, Field(ge=-1, le=127)]
    drop_near_duplicates: bool
    max_failure_rate: Annotated[float, Field(ge=0, le=1)]
    engine: EngineParams


def clean(params: CleanParams, *, fetch: Path, out: Path) -> Metrics:
    """Write verdicts.parquet. Raises PhotoError if too many photos cannot be used at all."""
    catalogue = pl.read_parquet(fetch / "catalogue.parquet")
    facts = inspect_photos(
        catalogue,
        fetch / "shards",
        min_side=params.min_side,
        max_pixels=round(params.max_megapixels * 1e6),
        engine=params.engine,
    )
    verdicts = judge_photos(
        catalogue,
        facts,
        is_allowed=allows_any_use if params.production_only else lambda licence: True,
        max_distance=params.near_duplicate_distance,
        drop_near_duplicates=params.drop_near_duplicates,
    )
    counts = count_by(verdicts["reason"])
    reasons = {reason.value: counts.get(reason, 0) for reason in Reason}
    unusable = {reason.value: reasons[reason] for reason in UNUSABLE if reasons[reason]}
    if sum(unusable.values()) > params.max_failure_rate * len(verdicts):
        raise PhotoError(
            f"{sum(unusable.values())} of {len(verdicts)} photos cannot be used, more than "
            f"clean.max_failure_rate {params.max_failure_rate} allows: {count_by_text(unusable)}"
        )
    write_table(verdicts, out / "verdicts.parquet")
    readable = verdicts.filter(~pl.col("reason").is_in([reason.value for reason in UNUSABLE]))
    return {
        "num_photos": len(verdicts),
        "num_kept": reasons[Reason.KEPT],
        "reasons": reasons,
        "formats": count_by(readable["format"]),
        "modes": count_by(readable["mode"]),
        "num_turned": readable.filter(pl.col("exif_orientation") > 1).height,
    }


def count_by_text(counts: dict[str, int]) -> str:
    """`truncated 12, empty 3`, the most frequent first."""
    return ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items(), key=lambda item: -item[1]))


if __name__ == "__main__":
    run_stage(clean)
