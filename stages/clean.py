"""Give every photo of the catalogue a verdict and a reason. Nothing is copied."""

from functools import partial
from pathlib import Path

import polars as pl

from fieldguide.clean.counts import check_failure_rate, count_verdicts
from fieldguide.clean.decisions import DECISIONS_LIST, read_decisions
from fieldguide.clean.forgotten import FORGOTTEN_LIST, read_forgotten
from fieldguide.clean.near_duplicates import look_at_pictures
from fieldguide.clean.page import write_verdict_page
from fieldguide.clean.params import CleanParams
from fieldguide.clean.remarks import check_something_is_kept, describe_clusters
from fieldguide.clean.replacements import mark_replaced
from fieldguide.clean.screening import inspect_photos
from fieldguide.clean.verdicts import judge_photos
from fieldguide.engine import count_workers
from fieldguide.errors import CatalogueError
from fieldguide.fetch.reading import Originals
from fieldguide.files import write_table
from fieldguide.stage import Metrics, run_stage
from fieldguide.system_errors import required


def clean(
    params: CleanParams,
    *,
    fetch: Path,
    out: Path,
    reports: Path,
    forgotten: Path | None = None,
    decisions: Path | None = None,
) -> Metrics:
    """Write verdicts.parquet, and a page about them below `reports`.

    `forgotten` is the list of photos to drop, `decisions` that of single photos to drop or to relabel; None:
    forgotten.csv and decisions.csv, where there are such.
    Raises PhotoError if too many photos cannot be used at all or none is kept, CatalogueError on a wrong list of
    replacements, of the `forgotten` or of `decisions`.
    """
    if forgotten and not forgotten.exists():
        raise CatalogueError(f"{forgotten} is missing, and what it forgets would come back; `git checkout {forgotten}`")
    if decisions and not decisions.exists():
        raise CatalogueError(f"{decisions} is missing, and what it decides would be undone; `git checkout {decisions}`")
    decided = read_decisions(decisions or DECISIONS_LIST)
    to_forget = read_forgotten(forgotten or FORGOTTEN_LIST)
    catalogue = pl.read_parquet(required(fetch / "catalogue.parquet", "fetch"))
    decided.check(catalogue)
    originals = Originals(fetch, count_workers(params.engine.workers))
    facts = inspect_photos(catalogue, originals, params)
    look_at = partial(look_at_pictures, originals=originals, engine=params.engine)
    verdicts = judge_photos(catalogue, facts, params, to_forget, look_at, decided)
    verdicts = mark_replaced(verdicts, catalogue, params.replacements)
    check_failure_rate(verdicts, params.max_failure_rate)
    check_something_is_kept(verdicts)
    near_duplicates = describe_clusters(verdicts, params.near_duplicate_distance)
    write_verdict_page(catalogue, verdicts, originals, reports / "index.html")
    write_table(verdicts, out / "verdicts.parquet")
    return {
        **count_verdicts(verdicts),
        "num_relabelled": verdicts["new_label"].count(),
        "near_duplicates": near_duplicates,
    }


if __name__ == "__main__":
    run_stage(clean)
