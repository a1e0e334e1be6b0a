"""Turn every kept photo upright, make it a square of one size, and pack the squares into WebDataset shards."""

import logging
from functools import partial
from pathlib import Path

from fieldguide.engine import count_workers, map_shards
from fieldguide.fetch.reading import Originals
from fieldguide.files import remove_partials
from fieldguide.images.geometry import Method
from fieldguide.records.manifest import SquareManifest, SquareStyle
from fieldguide.records.params import ResizeParams
from fieldguide.records.squares import plan_squares, write_squares
from fieldguide.stage import Metrics, run_stage

log = logging.getLogger(__name__)


def resize(params: ResizeParams, *, fetch: Path, split: Path, out: Path, only: str = "") -> Metrics:
    """Write `{split}-%05d.tar`, photos in catalogue order, then manifest.json; for a repair the tars `only`, `A,B`."""
    remove_partials(out)
    shards = plan_squares(fetch / "catalogue.parquet", split, out, params.photos_per_shard, params.members)
    shards = [shard for shard in shards if not only or shard.path.name in only.split(",")]
    style = SquareStyle.model_validate(params.model_dump(include=set(SquareStyle.model_fields)))
    originals = Originals(fetch, count_workers(params.engine.workers))
    work = partial(write_squares, originals=originals, style=style)
    counts = list(map_shards(work, shards, params.engine, "resizing"))
    num_photos = {shard.path.name: len(shard.photos) for shard in shards}
    SquareManifest(style=style, num_photos=num_photos).write(out)
    metrics: Metrics = {"num_photos": sum(num_photos.values()), "num_shards": len(shards)}
    metrics["megabytes"] = sum(count.num_bytes for count in counts) / 1e6
    if params.method is Method.BBOX:
        num_boxed, num_bad = sum(count.num_boxed for count in counts), sum(count.num_bad_boxes for count in counts)
        metrics |= {"num_boxed": num_boxed, "num_bad_boxes": num_bad}
        if num_bad:
            log.warning(
                "%d photos have a box that is none, lies outside of them, or was drawn on a picture of another shape: "
                "they are treated by resize.bbox_fallback", num_bad,
            )  # fmt: skip
    return metrics


if __name__ == "__main__":
    run_stage(resize)
