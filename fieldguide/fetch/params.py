"""The `fetch` section of params.yaml."""

from typing import Annotated

from pydantic import Field, PositiveInt

from fieldguide.catalogue.regions import Regions
from fieldguide.catalogue.sources import AnySource
from fieldguide.engine import EngineParams
from fieldguide.fetch.limits import OriginalsParams


class FetchParams(OriginalsParams):
    """Where photos come from, and the limits of asking for them."""

    sources: Annotated[dict[str, AnySource], Field(min_length=1)]
    """By name; names go into photo ids, so renaming a source renames its photos. Paths start at the root."""
    regions: Regions
    """Finds the region of photos whose source names none, from their country or coordinates."""
    cell_degrees: Annotated[float, Field(gt=0, le=180)] | None
    """Places are kept as the centres of cells of so many degrees a side, never more exactly; null keeps none."""
    photos_per_shard: PositiveInt
    """Photos in one tar shard, the unit of work and of resuming."""
    max_failure_rate: Annotated[float, Field(ge=0, le=1)]
    """Share of the rows that may end without bytes; past it the stage fails."""
    engine: EngineParams
    """Where the shards are worked on."""
