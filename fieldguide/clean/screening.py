"""Looks at every photo of a catalogue once: what it is, whether it can be used, how good it is."""

from functools import partial
from typing import Any, Final

import polars as pl

from fieldguide.clean.params import CleanParams
from fieldguide.clean.reasons import FETCH_FAILED
from fieldguide.engine import map_shards
from fieldguide.fetch.reading import Location, Originals
from fieldguide.images.decode import inspect
from fieldguide.images.fingerprints import fingerprint
from fieldguide.images.quality import QUALITY, measure_quality

PHOTOS_PER_TASK = 128

INSPECTED: Final[dict[str, type[pl.DataType]]] = {
    "format": pl.String,
    "mode": pl.String,
    "width": pl.Int32,
    "height": pl.Int32,
    "exif_orientation": pl.Int32,
}
"""Those fields of an `Inspection` that become columns."""

FACTS: Final[dict[str, type[pl.DataType]]] = {
    "flaw": pl.String,
    **INSPECTED,
    **{fact.name: fact.dtype for fact in QUALITY},
    "fingerprint": pl.Binary,
}
"""What is found out about each photo; docs/formats.md says what the columns mean."""


def inspect_photos(catalogue: pl.DataFrame, originals: Originals, params: CleanParams) -> pl.DataFrame:
    """What each photo is, one row per distinct place in the shards: shard, offset and the columns of FACTS.

    `flaw` is null where the photo is usable, `fetch_failed` where a stream has it no more. `catalogue` needs the
    columns shard, offset, num_bytes.
    """
    places = catalogue.drop_nulls("shard").select("shard", "offset", "num_bytes").unique().sort("shard", "offset")
    tasks = list(places.iter_slices(PHOTOS_PER_TASK))
    work = partial(
        _inspect_task,
        originals=originals,
        min_side=params.min_side,
        max_pixels=round(params.max_megapixels * 1e6),
    )
    facts = pl.concat([pl.DataFrame(schema=FACTS), *map_shards(work, tasks, params.engine, "inspecting")])
    return places.drop("num_bytes").hstack(facts)


def _inspect_task(places: pl.DataFrame, originals: Originals, min_side: int, max_pixels: int) -> pl.DataFrame:
    contents = originals.read(Location(*row) for row in places.iter_rows())
    facts = [_inspect_photo(content, min_side, max_pixels) for content in contents]
    return pl.DataFrame(facts, schema=FACTS, orient="row")


def _inspect_photo(content: bytes | None, min_side: int, max_pixels: int) -> dict[str, Any]:
    """FACTS of one photo; those that are missing are null."""
    if content is None:
        return {"flaw": FETCH_FAILED}
    found = inspect(content, min_side=min_side, max_pixels=max_pixels)
    facts = {name: getattr(found, name) for name in INSPECTED}
    if found.flaw:
        return {"flaw": found.flaw.value, **facts}
    assert found.image
    return {**facts, **measure_quality(found.image), "fingerprint": fingerprint(found.image)}
