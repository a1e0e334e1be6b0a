"""Looks at every photo of a catalogue once: what it is, whether it can be used, how good it is."""

from dataclasses import astuple
from functools import partial
from typing import Any

import polars as pl

from fieldguide.clean.verdicts import Reason
from fieldguide.engine import EngineParams, map_shards
from fieldguide.fetch.reading import Location, Originals
from fieldguide.images.decode import inspect
from fieldguide.images.fingerprints import fingerprint
from fieldguide.images.quality import measure_quality

PHOTOS_PER_TASK = 128


FACTS = {
    "flaw": pl.String,
    "format": pl.String,
    "mode": pl.String,
    "width": pl.Int32,
    "height": pl.Int32,
    "exif_orientation": pl.Int32,
    "fingerprint": pl.Binary,
    "sharpness": pl.Float32,
    "brightness": pl.Float32,
    "entropy": pl.Float32,
    "border_color": pl.String,
}
"""What is found out about each photo; docs/formats.md says what the columns mean."""

NO_QUALITY = (None,) * 4


def inspect_photos(
    catalogue: pl.DataFrame, originals: Originals, *, min_side: int, max_pixels: int, engine: EngineParams
) -> pl.DataFrame:
    """What each photo is, one row per distinct place in the shards: shard, offset and the columns of FACTS.

    `flaw` is null where the photo is usable, `fetch_failed` where a stream has it no more. `catalogue` needs the
    columns shard, offset, num_bytes.
    """
    places = catalogue.drop_nulls("shard").select("shard", "offset", "num_bytes").unique().sort("shard", "offset")
    tasks = list(places.iter_slices(PHOTOS_PER_TASK))
    work = partial(_inspect_task, originals=originals, min_side=min_side, max_pixels=max_pixels)
    facts = pl.concat([pl.DataFrame(schema=FACTS), *map_shards(work, tasks, engine, "inspecting")])
    return places.drop("num_bytes").hstack(facts)


def _inspect_task(places: pl.DataFrame, originals: Originals, min_side: int, max_pixels: int) -> pl.DataFrame:
    facts: list[tuple[Any, ...]] = []
    for content in originals.read(Location(*row) for row in places.iter_rows()):
        if content is None:
            facts.append((Reason.FETCH_FAILED.value, *[None] * (len(FACTS) - 1)))
            continue
        found = inspect(content, min_side=min_side, max_pixels=max_pixels)
        bits = fingerprint(found.image) if found.image else None
        quality = astuple(measure_quality(found.image)) if found.image else NO_QUALITY
        flaw = found.flaw.value if found.flaw else None
        size = (found.width, found.height, found.exif_orientation)
        facts.append((flaw, found.format, found.mode, *size, bits, *quality))
    return pl.DataFrame(facts, schema=FACTS, orient="row")
