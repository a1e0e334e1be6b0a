"""Turn every kept photo upright, make it a square of one size, and pack the squares into WebDataset shards."""

from functools import partial
from pathlib import Path

from fieldguide.engine import count_workers, map_shards
from fieldguide.fetch.reading import Originals
from fieldguide.files import remove_partials
from fieldguide.records.manifest import SquareManifest, SquareStyle
from fieldguide.records.params import ResizeParams
from fieldguide.records.squares import plan_squares, write_squares
from fieldguide.stage import Metrics, run_stage


def resize(params: ResizeParams, *, fetch: Path, split: Path, out: Path, only: str = "") -> Metrics:
    """Write `{split}-%05d.tar`, photos in catalogue order, then manifest.json; for a repair the tars `only`, `A,B`."""
    remove_partials(out)
    shards = plan_squares(fetch / "catalogue.parquet", split, out, params.photos_per_shard)
    shards = [shard for shard in shards if not only or shard.path.name in only.split(",")]
    style = SquareStyle(size=params.size, method=params.method, pad_color=params.pad_color, quality=params.quality)
    originals = Originals(fetch, count_workers(params.engine.workers))
    work = partial(write_squares, originals=originals, style=style)
    sizes = list(map_shards(work, shards, params.engine, "resizing"))
    num_photos = {shard.path.name: len(shard.photos) for shard in shards}
    SquareManifest(style=style, num_photos=num_photos).write(out)
    return {"num_photos": sum(num_photos.values()), "num_shards": len(shards), "megabytes": sum(sizes) / 1e6}


if __name__ == "__main__":
    run_stage(resize)
