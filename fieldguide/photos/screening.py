"""Looks at every photo of a catalogue once: what it is, whether it can be used, how good it is."""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

import polars as pl

from fieldguide.engine import EngineParams, map_shards
from fieldguide.photos.decode import inspect
from fieldguide.photos.fingerprints import fingerprint
from fieldguide.photos.quality import measure_quality

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


@dataclass(frozen=True)
class Location:
    """Where the bytes of a photo are: `shard[offset : offset + num_bytes]`."""

    shard: str
    offset: int
    num_bytes: int


def inspect_photos(
    catalogue: pl.DataFrame, shards: Path, *, min_side: int, max_pixels: int, engine: EngineParams
) -> pl.DataFrame:
    """What each photo is, one row per distinct place in the shards: shard, offset and the columns of FACTS.

    `flaw` is null where the photo is usable. `catalogue` needs the columns shard, offset, num_bytes.
    """
    places = catalogue.drop_nulls("shard").select("shard", "offset", "num_bytes").unique().sort("shard", "offset")
    tasks = list(places.iter_slices(PHOTOS_PER_TASK))
    work = partial(_inspect_task, shards=shards, min_side=min_side, max_pixels=max_pixels)
    facts = pl.concat([pl.DataFrame(schema=FACTS), *map_shards(work, tasks, engine, "inspecting")])
    return places.drop("num_bytes").hstack(facts)


def _inspect_task(places: pl.DataFrame, shards: Path, min_side: int, max_pixels: int) -> pl.DataFrame:
    facts = []
    for content in read_originals((Location(*row) for row in places.iter_rows()), shards):
        found = inspect(content, min_side=min_side, max_pixels=max_pixels)
        bits = fingerprint(found.image) if found.image else None
        quality = astuple(measure_quality(found.image)) if found.image else NO_QUALITY
        flaw = found.flaw.value if found.flaw else None
        size = (found.width, found.height, found.exif_orientation)
        facts.append((flaw, found.format, found.mode, *size, bits, *quality))
    return pl.DataFrame(facts, schema=FACTS, orient="row")


def read_originals(locations: Iterable[Location], shards: Path) -> Iterator[bytes]:
    """Yield the bytes of each photo; fastest when neighbours share a shard."""
    opened, stream = None, None
    try:
        for location in locations:
            if stream is None or location.shard != opened:
                if stream is not None:
                    stream.close()
                opened, stream = location.shard, (shards / location.shard).open("rb")
            stream.seek(location.offset)
            yield stream.read(location.num_bytes)
    finally:
        if stream is not None:
            stream.close()
