"""Bring every source into one catalogue and every photo into tar shards, each URL once."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveInt

from fieldguide import tracking
from fieldguide.catalogue.regions import Regions
from fieldguide.catalogue.sources import AnySource
from fieldguide.engine import EngineParams
from fieldguide.errors import CatalogueError
from fieldguide.photos.catalogue_table import write_catalogue
from fieldguide.photos.ledger import OriginalsParams
from fieldguide.photos.originals import bring_originals
from fieldguide.photos.plan import draw_plan
from fieldguide.photos.reading import write_stream
from fieldguide.photos.resume import Store
from fieldguide.stage import Metrics, run_stage


class FetchParams(OriginalsParams):
    """Where photos come from, and the limits of asking for them."""

    sources: Annotated[dict[str, AnySource], Field(min_length=1)]
    """By name; names go into photo ids, so renaming a source renames its photos. Paths start at the root."""
    regions: Regions
    """Where photos are about whose region their source says nothing."""
    photos_per_shard: PositiveInt
    max_failure_rate: Annotated[float, Field(ge=0, le=1)]
    engine: EngineParams


def fetch(params: FetchParams, *, data: Path, out: Path) -> Metrics:
    """Write catalogue.parquet, shards/, ledger/ and failures.csv below `out`, keeping what earlier runs finished there.

    Raises CatalogueError on a source that cannot be read, PhotoError if more than max_failure_rate of the rows
    end without bytes.
    """
    if not data.exists():
        raise CatalogueError(f"{data} is missing; `dvc pull {data}.dvc` brings it")
    store = Store(out)
    store.prepare()
    plan = draw_plan(params.sources, params.regions, params.photos_per_shard, store.work)
    times = bring_originals(plan, out, params, params.engine)
    tracking.log_metrics(times.metrics())
    write_stream(out, params)
    tally = write_catalogue(plan, store, params.max_failure_rate)
    plan.close()
    store.finish()
    return tally.metrics()


if __name__ == "__main__":
    run_stage(fetch)
