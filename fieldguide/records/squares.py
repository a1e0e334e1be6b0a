"""Packs photos as squares of one size into WebDataset shards."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fieldguide.catalogue.splits import Split
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import PhotoError
from fieldguide.fetch.reading import Location, Originals
from fieldguide.images.decode import load_rgb
from fieldguide.images.encode import encode_jpeg
from fieldguide.images.geometry import make_square
from fieldguide.records.manifest import SquareStyle
from fieldguide.system_errors import required
from fieldguide.tar import TarShardWriter


@dataclass(frozen=True)
class SquareShard:
    """One shard to be written: its path, and for each photo where its bytes are and what its JSON says."""

    path: Path
    photos: Sequence[tuple[Location, dict[str, Any]]]


def plan_squares(catalogue: Path, split: Path, out: Path, photos_per_shard: int) -> list[SquareShard]:
    """The shards of every split that has photos, in catalogue order; `split` is the folder of the split stage."""
    ranks = Taxonomy.read(split / "taxonomy.json").ranks
    places = pl.read_parquet(
        required(catalogue, "fetch"), columns=["photo_id", "sha256", "shard", "offset", "num_bytes"]
    )
    photos = pl.read_parquet(required(split / "split.parquet", "split")).join(
        places, on="photo_id", maintain_order="left"
    )
    shards = []
    for part in Split:
        rows = photos.filter(pl.col("split") == part)
        for number, start in enumerate(range(0, len(rows), photos_per_shard)):
            chosen = [
                (
                    Location(row["shard"], row["offset"], row["num_bytes"]),
                    {
                        "photo_id": row["photo_id"],
                        "sha256": row["sha256"],
                        "labels": {rank: row[rank] for rank in ranks},
                        "region": row["region"],
                    },
                )
                for row in rows.slice(start, photos_per_shard).iter_rows(named=True)
            ]
            shards.append(SquareShard(out / f"{part}-{number:05d}.tar", chosen))
    return shards


def encode_square(content: bytes, style: SquareStyle) -> tuple[bytes, dict[str, Any]]:
    """A photo's bytes as a square JPEG, and `source_size` (upright, px) and `box` for its JSON.

    Raises PhotoError if they are no photo, which clean would have dropped.
    """
    # Twice the final size keeps the scaled decoding indistinguishable from a full one (Pillow's reducing_gap).
    image, source_size = load_rgb(content, shorter_side=2 * style.size)
    square, box = make_square(image, style.size, style.method, style.pad_color)
    return encode_jpeg(square, style.quality), {"source_size": list(source_size), "box": list(box)}


def write_squares(shard: SquareShard, originals: Originals, style: SquareStyle) -> int:
    """Write one WebDataset shard, whole or not at all; returns its size in bytes.

    Raises PhotoError if a photo of a stream cannot be had again.
    """
    with TarShardWriter(shard.path) as tar:
        contents = originals.read(location for location, _ in shard.photos)
        for content, (_, facts) in zip(contents, shard.photos, strict=True):
            key = facts["photo_id"]
            if content is None:
                raise PhotoError(
                    f"{key}: gone, changed or out of reach since it was fetched, and fetch.store: stream keeps no "
                    "originals; run again, or `dvc repro -f clean` to drop such photos"
                )
            try:
                jpeg, geometry = encode_square(content, style)
            except PhotoError as error:
                raise PhotoError(f"{key}: {error}; `dvc repro -f clean` drops such photos") from error
            tar.add(f"{key}.jpg", jpeg)
            tar.add(f"{key}.json", json.dumps({**facts, **geometry}, ensure_ascii=False).encode())
    return shard.path.stat().st_size
