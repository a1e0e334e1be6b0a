"""Bring every source into one catalogue and every photo into tar shards, each URL once."""

import logging
from pathlib import Path

from fieldguide.digests import discard_damaged
from fieldguide.errors import CatalogueError
from fieldguide.fetch.catalogue_table import write_catalogue
from fieldguide.fetch.named_paths import named_paths
from fieldguide.fetch.originals import bring_originals
from fieldguide.fetch.outside import describe, outside, write_looks
from fieldguide.fetch.params import FetchParams
from fieldguide.fetch.plan import draw_plan
from fieldguide.fetch.reading import write_stream
from fieldguide.fetch.resume import Store
from fieldguide.params import paths_in
from fieldguide.stage import Metrics, run_stage
from fieldguide.track import stage_run

log = logging.getLogger(__name__)


def fetch(params: FetchParams, *, data: Path, out: Path, looks: Path | None = None) -> Metrics:
    """Write catalogue.parquet, shards/, ledger/ and failures.csv below `out`, keeping what earlier runs finished there.

    `looks` is the file for what lies outside `data`, which DVC does not see (fetch/outside.py); None: nobody looks.

    Raises CatalogueError on a source that cannot be read, PhotoError if more than max_failure_rate of the rows
    end without bytes.
    """
    if not data.exists():
        raise CatalogueError(f"{data} is missing; `dvc pull {data}.dvc` brings it")
    # Before the first file is read, so that what changes from now on is seen the next time.
    if looks:
        seen = write_looks(outside([*named_paths(params.sources), *paths_in(params.regions)], data), looks)
        if seen:
            log.info("outside of %s, and looked at before each `dvc repro`: %s", data, describe(seen))
    store = Store(out)
    for damaged in discard_damaged(out):
        log.warning("%s was damaged and is made again", damaged)
    store.prepare()
    plan = draw_plan(
        params.sources,
        params.regions,
        params.photos_per_shard,
        store.work,
        shrunk=params.max_side is not None,
        cell_degrees=params.cell_degrees,
    )
    times = bring_originals(plan, out, params, params.engine)
    stage_run.log_metrics(times.metrics())
    write_stream(out, params)
    tally = write_catalogue(plan, store, params.max_failure_rate)
    if warning := tally.describe_unknown_licences():
        log.warning(warning)
    plan.close()
    store.finish()
    return tally.metrics()


if __name__ == "__main__":
    run_stage(fetch)
