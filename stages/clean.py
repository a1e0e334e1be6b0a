"""Give every photo of the catalogue a verdict and a reason. Nothing is copied."""

from pathlib import Path

import polars as pl

from fieldguide.catalogue.licences import allows_any_use
from fieldguide.clean.page import write_verdict_page
from fieldguide.clean.params import CleanParams
from fieldguide.clean.replacements import read_replacements
from fieldguide.clean.screening import inspect_photos
from fieldguide.clean.verdicts import UNUSABLE, Reason, count_by, judge_photos
from fieldguide.engine import count_workers
from fieldguide.errors import PhotoError
from fieldguide.fetch.reading import Originals
from fieldguide.files import write_table
from fieldguide.stage import Metrics, run_stage


def clean(params: CleanParams, *, fetch: Path, out: Path, reports: Path) -> Metrics:
    """Write verdicts.parquet, and a page about them below `reports`.

    Raises PhotoError if too many photos cannot be used at all, CatalogueError on a wrong list of replacements.
    """
    catalogue = pl.read_parquet(fetch / "catalogue.parquet")
    originals = Originals(fetch, count_workers(params.engine.workers))
    facts = inspect_photos(
        catalogue,
        originals,
        min_side=params.min_side,
        max_pixels=round(params.max_megapixels * 1e6),
        engine=params.engine,
    )
    verdicts = judge_photos(
        catalogue,
        facts,
        is_allowed=allows_any_use if params.production_only else lambda licence: True,
        quality=params.quality,
        same=params,
    )
    replaced = read_replacements(params.replacements, catalogue, verdicts) if params.replacements else {}
    ids = verdicts["photo_id"]
    verdicts = verdicts.with_columns(
        ids.replace_strict(replaced, default=None, return_dtype=pl.String).alias("replaced_by")
    )
    counts = count_by(verdicts["reason"])
    reasons = {reason.value: counts.get(reason, 0) for reason in Reason}
    unusable = count_by(verdicts.filter(pl.col("replaced_by").is_null() & pl.col("reason").is_in(UNUSABLE))["reason"])
    if sum(unusable.values()) > params.max_failure_rate * len(verdicts):
        raise PhotoError(
            f"{sum(unusable.values())} of {len(verdicts)} photos cannot be used, more than "
            f"clean.max_failure_rate {params.max_failure_rate} allows: "
            f"{', '.join(f'{reason} {count}' for reason, count in unusable.items())}"
        )
    write_verdict_page(catalogue, verdicts, originals, reports / "index.html")
    write_table(verdicts, out / "verdicts.parquet")
    readable = verdicts.filter(~pl.col("reason").is_in(UNUSABLE))
    return {
        "num_photos": len(verdicts),
        "num_kept": reasons[Reason.KEPT],
        "reasons": reasons,
        "num_replaced": len(replaced),
        "num_pictures_with_conflicting_labels": verdicts.filter("labels_differ")["cluster_id"].drop_nulls().n_unique(),
        "formats": count_by(readable["format"]),
        "modes": count_by(readable["mode"]),
        "num_turned": readable.filter(pl.col("exif_orientation") > 1).height,
    }


if __name__ == "__main__":
    run_stage(clean)
