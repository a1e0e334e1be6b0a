"""Turn every kept photo upright, make it a square of one size, and pack the squares into WebDataset shards."""

from functools import partial
from pathlib import Path
from typing import Annotated

import polars as pl
from pydantic import Field, PositiveInt

from fieldguide.catalogue.splits import Split
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.engine import EngineParams, count_workers, map_shards
from fieldguide.files import remove_partials
from fieldguide.params import Section
from fieldguide.photos.geometry import Method
from fieldguide.photos.reading import Location, Originals
from fieldguide.photos.squares import SquareShard, SquareStyle, write_squares
from fieldguide.stage import Metrics, run_stage

Channel = Annotated[int, Field(ge=0, le=255)]


class ResizeParams(Section):
    """What a training image looks like."""

    size: PositiveInt
    method: Method
    pad_color: tuple[Channel, Channel, Channel]
    quality: Annotated[int, Field(ge=1, le=100)]
    photos_per_shard: PositiveInt
    engine: EngineParams


def resize(params: ResizeParams, *, fetch: Path, split: Path, out: Path) -> Metrics:
    """Write `{split}-%05d.tar`, photos in catalogue order."""
    ranks = Taxonomy.read(split / "taxonomy.json").ranks
    places = pl.read_parquet(
        fetch / "catalogue.parquet", columns=["photo_id", "sha256", "shard", "offset", "num_bytes"]
    )
    photos = pl.read_parquet(split / "split.parquet").join(places, on="photo_id", maintain_order="left")
    remove_partials(out)
    shards = []
    for part in Split:
        rows = photos.filter(pl.col("split") == part)
        for number, start in enumerate(range(0, len(rows), params.photos_per_shard)):
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
                for row in rows.slice(start, params.photos_per_shard).iter_rows(named=True)
            ]
            shards.append(SquareShard(out / f"{part}-{number:05d}.tar", chosen))
    style = SquareStyle(params.size, params.method, params.pad_color, params.quality)
    originals = Originals(fetch, count_workers(params.engine.workers))
    work = partial(write_squares, originals=originals, style=style)
    sizes = list(map_shards(work, shards, params.engine, "resizing"))
    return {"num_photos": len(photos), "num_shards": len(shards), "megabytes": sum(sizes) / 1e6}


if __name__ == "__main__":
    run_stage(resize)
