"""A verdict and a reason for every photo of a catalogue: decode each once, then compare them all.

Reasons are tried in the order of `Reason`; a row gets the first that applies. Duplicates are looked for only among
rows that passed everything before, so a broken or unlicensed photo never displaces a good one. Of several duplicates
the first in catalogue order is kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import polars as pl

from fieldguide.engine import EngineParams, map_shards
from fieldguide.photos.decode import Flaw, inspect
from fieldguide.photos.fingerprints import fingerprint, stack_fingerprints
from fieldguide.photos.near_duplicates import cluster_near_duplicates

PHOTOS_PER_TASK = 128


class Reason(StrEnum):
    """Why a photo is kept or dropped, in the order in which reasons are tried."""

    FETCH_FAILED = "fetch_failed"
    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    BOMB = "bomb"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    TOO_SMALL = "too_small"
    LICENCE = "licence"
    DUPLICATE_URL = "duplicate_url"
    DUPLICATE_BYTES = "duplicate_bytes"
    NEAR_DUPLICATE = "near_duplicate"
    KEPT = "kept"


UNUSABLE = (Reason.FETCH_FAILED, *(Reason(flaw) for flaw in Flaw))
"""Reasons that say something is wrong with the source, not with what we want of it."""

FACTS = {
    "reason": pl.String,
    "format": pl.String,
    "mode": pl.String,
    "width": pl.Int32,
    "height": pl.Int32,
    "exif_orientation": pl.Int32,
    "fingerprint": pl.Binary,
}


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

    `reason` is null where the photo is usable. `catalogue` needs the columns shard, offset, num_bytes.
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
        reason = Reason(found.flaw).value if found.flaw else None
        facts.append((reason, found.format, found.mode, found.width, found.height, found.exif_orientation, bits))
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


def judge_photos(
    catalogue: pl.DataFrame,
    facts: pl.DataFrame,
    *,
    is_allowed: Callable[[str], bool],
    max_distance: int,
    drop_near_duplicates: bool,
) -> pl.DataFrame:
    """The verdicts of docs/formats.md, one row per catalogue row in its order.

    `facts` come from `inspect_photos`; `is_allowed` says whether a normalised licence permits the use at hand;
    `max_distance` is the number of fingerprint bits that near-duplicates may differ in, or -1 for no search.
    """
    needed = catalogue.select("photo_id", "status", "licence", "url", "sha256", "shard", "offset")
    table = needed.join(facts, on=["shard", "offset"], how="left", maintain_order="left").with_row_index("row")
    allowed = [licence for licence in table["licence"].unique() if is_allowed(licence)]
    table = table.with_columns(
        pl.when(pl.col("status") != "ok")
        .then(pl.lit(Reason.FETCH_FAILED.value))
        .when(pl.col("reason").is_null() & ~pl.col("licence").is_in(allowed))
        .then(pl.lit(Reason.LICENCE.value))
        .otherwise(pl.col("reason"))
        .alias("reason"),
        pl.lit(None, pl.UInt32).alias("original"),
        pl.lit(None, pl.UInt32).alias("cluster"),
    )
    table = _drop_repeats(table, "url", Reason.DUPLICATE_URL)
    table = _drop_repeats(table, "sha256", Reason.DUPLICATE_BYTES)
    table = _find_clusters(table, max_distance)
    if drop_near_duplicates:
        table = _drop_all_but_first(table, pl.col("cluster"), Reason.NEAR_DUPLICATE)
    ids = table["photo_id"]
    return table.select(
        "photo_id",
        pl.when(pl.col("reason").is_null()).then(pl.lit("keep")).otherwise(pl.lit("drop")).alias("verdict"),
        pl.col("reason").fill_null(Reason.KEPT.value),
        ids.gather(table["original"]).alias("duplicate_of"),
        ids.gather(table["cluster"]).alias("cluster_id"),
        "format",
        "mode",
        "width",
        "height",
        "exif_orientation",
        "fingerprint",
    )


def _drop_repeats(table: pl.DataFrame, column: str, reason: Reason) -> pl.DataFrame:
    """Drop photos whose `column` equals that of an earlier one, of those without a reason yet."""
    good = table.filter(pl.col("reason").is_null()).select("row", pl.col("row").min().over(column).alias("first"))
    table = table.join(good, on="row", how="left", maintain_order="left")
    return _drop_all_but_first(table, pl.col("first"), reason).drop("first")


def _drop_all_but_first(table: pl.DataFrame, first: pl.Expr, reason: Reason) -> pl.DataFrame:
    """Drop, as a repetition of row `first`, every photo that has another one there."""
    repeats = first != pl.col("row")
    return table.with_columns(
        pl.when(repeats).then(pl.lit(reason.value)).otherwise(pl.col("reason")).alias("reason"),
        pl.when(repeats).then(first).otherwise(pl.col("original")).alias("original"),
    )


def _find_clusters(table: pl.DataFrame, max_distance: int) -> pl.DataFrame:
    """Set `cluster` of every photo without a reason yet to the first row of its cluster."""
    good = table.filter(pl.col("reason").is_null()).select("row", "fingerprint")
    first = cluster_near_duplicates(stack_fingerprints(good["fingerprint"]), max_distance)
    found = good.select("row", pl.col("row").gather(first).alias("first"))
    return table.join(found, on="row", how="left", maintain_order="left").with_columns(cluster="first").drop("first")


def count_by(values: Iterable[str | None]) -> dict[str, int]:
    """How often each value occurs, the most frequent first, ties in alphabetical order; nulls left out."""
    counts: defaultdict[str, int] = defaultdict(int)
    for value in values:
        if value is not None:
            counts[value] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
