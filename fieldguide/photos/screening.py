"""A verdict and a reason for every photo of a catalogue: decode each once, then compare them all.

Reasons are tried in the order of `Reason`; a row gets the first that applies. Duplicates are looked for only among
rows that passed everything before, so a broken or unlicensed photo never displaces a good one. Of several duplicates
the first in catalogue order is kept.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from fieldguide.engine import EngineParams, map_shards
from fieldguide.photos.decode import Flaw, inspect
from fieldguide.photos.fingerprints import Clusters, find_near_duplicates, fingerprint, stack_fingerprints

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
    rows = [Location(*row) for row in places.iter_rows()]
    tasks = [rows[start : start + PHOTOS_PER_TASK] for start in range(0, len(rows), PHOTOS_PER_TASK)]
    work = partial(_inspect_task, shards=shards, min_side=min_side, max_pixels=max_pixels)
    facts = [fact for batch in map_shards(work, tasks, engine, "inspecting") for fact in batch]
    return places.drop("num_bytes").hstack(pl.DataFrame(facts, schema=FACTS, orient="row"))


def _inspect_task(locations: Sequence[Location], shards: Path, min_side: int, max_pixels: int) -> list[tuple[Any, ...]]:
    facts = []
    for content in read_originals(locations, shards):
        found = inspect(content, min_side=min_side, max_pixels=max_pixels)
        bits = fingerprint(found.image) if found.image else None
        reason = Reason(found.flaw).value if found.flaw else None
        facts.append((reason, found.format, found.mode, found.width, found.height, found.exif_orientation, bits))
    return facts


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
    table = catalogue.join(facts, on=["shard", "offset"], how="left", maintain_order="left")
    ids: list[str] = table["photo_id"].to_list()
    reasons: list[str | None] = [
        Reason.FETCH_FAILED if status != "ok" else reason
        for status, reason in table.select("status", "reason").iter_rows()
    ]
    duplicate_of: list[str | None] = [None] * len(ids)
    for row, licence in enumerate(table["licence"]):
        if reasons[row] is None and not is_allowed(licence):
            reasons[row] = Reason.LICENCE

    def drop_repeats(keys: Sequence[Hashable], reason: Reason) -> None:
        first: dict[Hashable, int] = {}
        for row, key in enumerate(keys):
            if reasons[row] is None and (original := first.setdefault(key, row)) != row:
                reasons[row], duplicate_of[row] = reason, ids[original]

    drop_repeats(table["url"].to_list(), Reason.DUPLICATE_URL)
    drop_repeats(table["sha256"].to_list(), Reason.DUPLICATE_BYTES)

    rows = [row for row, reason in enumerate(reasons) if reason is None]
    clusters = Clusters(len(rows))
    fingerprints = stack_fingerprints(table["fingerprint"].gather(rows).to_list())
    for one, other in find_near_duplicates(fingerprints, max_distance):
        clusters.join(one, other)
    cluster_ids: list[str | None] = [None] * len(ids)
    for member, row in enumerate(rows):
        first = rows[clusters.find(member)]
        cluster_ids[row] = ids[first]
        if first != row and drop_near_duplicates:
            reasons[row], duplicate_of[row] = Reason.NEAR_DUPLICATE, ids[first]

    final = [reason or Reason.KEPT for reason in reasons]
    return table.select(
        "photo_id",
        pl.Series("verdict", ["keep" if reason is Reason.KEPT else "drop" for reason in final]),
        pl.Series("reason", [str(reason) for reason in final]),
        pl.Series("duplicate_of", duplicate_of, dtype=pl.String),
        pl.Series("cluster_id", cluster_ids, dtype=pl.String),
        "format",
        "mode",
        "width",
        "height",
        "exif_orientation",
        "fingerprint",
    )


def count_by(values: Iterable[str | None]) -> dict[str, int]:
    """How often each value occurs, the most frequent first, ties in alphabetical order; nulls left out."""
    counts: defaultdict[str, int] = defaultdict(int)
    for value in values:
        if value is not None:
            counts[value] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
