"""Packs photos as squares of one size into WebDataset shards."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from fieldguide.catalogue.boxes import DrawnBox
from fieldguide.catalogue.splits import Split
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import PhotoError
from fieldguide.fetch.reading import Location, Originals
from fieldguide.images.geometry import Method
from fieldguide.memory import keep_freed_memory
from fieldguide.records.manifest import SquareStyle
from fieldguide.records.squaring import encode_square
from fieldguide.records.texts import Members, name_taxon, write_texts
from fieldguide.system_errors import required
from fieldguide.tar import TarShardWriter


@dataclass(frozen=True)
class Photo:
    """What is known of a photo beside its bytes."""

    location: Location
    facts: Mapping[str, Any]
    """What its JSON says, but for the geometry."""
    box: DrawnBox | None = None
    """As in the catalogue."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Further members, by their ending."""


@dataclass(frozen=True)
class SquareShard:
    """One shard to be written: its path, and its photos in order."""

    path: Path
    photos: Sequence[Photo]


@dataclass(frozen=True)
class ShardCount:
    """What a written shard holds."""

    num_bytes: int
    num_boxed: int
    """Photos that were cut to their box."""
    num_bad_boxes: int
    """Photos with a box that none can be cut to."""


def plan_squares(
    catalogue: Path, split: Path, out: Path, photos_per_shard: int, members: Members = Members.PLAIN
) -> list[SquareShard]:
    """The shards of every split that has photos, in catalogue order; `split` is the folder of the split stage."""
    taxonomy = Taxonomy.read(split / "taxonomy.json")
    places = pl.read_parquet(
        required(catalogue, "fetch"), columns=["photo_id", "sha256", "shard", "offset", "num_bytes", "box"]
    )
    photos = pl.read_parquet(required(split / "split.parquet", "split")).join(
        places, on="photo_id", maintain_order="left"
    )
    shards = []
    for part in Split:
        rows = photos.filter(pl.col("split") == part)
        for number, start in enumerate(range(0, len(rows), photos_per_shard)):
            chosen = _describe(rows.slice(start, photos_per_shard), taxonomy, members)
            shards.append(SquareShard(out / f"{part}-{number:05d}.tar", list(chosen)))
    return shards


def _describe(rows: pl.DataFrame, taxonomy: Taxonomy, members: Members) -> Iterator[Photo]:
    for row in rows.iter_rows(named=True):
        labels = {rank: row[rank] for rank in taxonomy.ranks}
        facts = {"photo_id": row["photo_id"], "sha256": row["sha256"], "labels": labels, "region": row["region"]}
        texts = write_texts(name_taxon(row["label"], labels, taxonomy)) if members is Members.TREEOFLIFE else {}
        box = None if row["box"] is None else tuple(row["box"])
        yield Photo(Location(row["shard"], row["offset"], row["num_bytes"]), facts, box, texts)


def write_squares(shard: SquareShard, originals: Originals, style: SquareStyle) -> ShardCount:
    """Write one WebDataset shard, whole or not at all.

    Raises PhotoError if a photo of a stream cannot be had again.
    """
    keep_freed_memory()
    num_boxed = num_bad_boxes = 0
    with TarShardWriter(shard.path) as tar:
        contents = originals.read(photo.location for photo in shard.photos)
        for content, photo in zip(contents, shard.photos, strict=True):
            key = photo.facts["photo_id"]
            if content is None:
                raise PhotoError(
                    f"{key}: gone, changed or out of reach since it was fetched, and fetch.store: stream keeps no "
                    "originals; run again, or `dvc repro -f clean` to drop such photos"
                )
            try:
                image, geometry = encode_square(content, style, photo.box)
            except PhotoError as error:
                raise PhotoError(f"{key}: {error}; `dvc repro -f clean` drops such photos") from error
            is_boxed = geometry.get("subject") is not None
            num_boxed += is_boxed
            num_bad_boxes += style.method is Method.BBOX and photo.box is not None and not is_boxed
            tar.add(f"{key}.{style.format.ending}", image)
            tar.add(f"{key}.json", json.dumps({**photo.facts, **geometry}, ensure_ascii=False).encode())
            for ending, text in photo.texts.items():
                tar.add(f"{key}.{ending}", text.encode())
    return ShardCount(shard.path.stat().st_size, num_boxed, num_bad_boxes)
