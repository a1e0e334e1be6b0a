"""Shuffle the resized photos into TFRecord shards with an index, a manifest and the taxonomy."""

from pathlib import Path

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.records.manifest import TAXONOMY
from fieldguide.records.params import TfrecordParams
from fieldguide.records.writer import write_records
from fieldguide.stage import Metrics, run_stage


def tfrecord(params: TfrecordParams, *, resize: Path, split: Path, out: Path, only: str = "") -> Metrics:
    """Write the photos of the tars in `resize`, labelled by `split/taxonomy.json`, as shuffled TFRecord shards.

    For a repair just the shards `only`, `A,B`, or those of the indexes.
    """
    manifest = write_records(
        resize,
        Taxonomy.read(split / TAXONOMY),
        out,
        salt=params.salt,
        engine=params.engine,
        records_per_shard=params.records_per_shard,
        shard_mb=params.shard_mb,
        min_shards=params.min_shards,
        shuffle_memory_mb=params.shuffle_memory_mb,
        form=params.form,
        only={name.removesuffix(".index") for name in only.split(",") if name},
    )
    return {
        name: {
            "num_records": entry.num_records,
            "num_shards": len(entry.shards),
            "num_bytes": sum(shard.num_bytes for shard in entry.shards),
        }
        for name, entry in manifest.splits.items()
    }


if __name__ == "__main__":
    run_stage(tfrecord)
