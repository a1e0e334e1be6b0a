"""Turns WebDataset tars into shuffled TFRecord shards with index, manifest and taxonomy.

One pass over the headers of the tars finds the photos, shuffle.py puts them in order, and every shard gathers its own.
Memory is bounded whatever the number of photos: `shuffle_memory_mb` holds the places that are being sorted, then the
photos that all workers hold.
"""

from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from fieldguide.catalogue.splits import DRAWN, HELD_OUT
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.engine import EngineParams, count_workers, map_shards
from fieldguide.errors import RecordError
from fieldguide.files import file_sha256, remove_partials
from fieldguide.records.cutting import MEGABYTE, Cut, ShardPlan, plan_shards
from fieldguide.records.features import feature_specs
from fieldguide.records.kinds import Form
from fieldguide.records.labels_writer import writing_labels
from fieldguide.records.manifest import (
    LABELS,
    MANIFEST,
    TAXONOMY,
    Manifest,
    SplitEntry,
    SquareManifest,
)
from fieldguide.records.shard_writer import Recipe, write_shard
from fieldguide.records.shuffle import Shuffle

TYPICAL_FACTS = 700
"""Bytes of a record besides its image or pixels."""


def write_records(
    resize: Path,
    taxonomy: Taxonomy,
    out: Path,
    *,
    salt: str,
    engine: EngineParams,
    records_per_shard: int | None = None,
    shard_mb: float | None = None,
    min_shards: int = 1,
    shuffle_memory_mb: int = 1024,
    form: Form | None = None,
    only: Collection[str] = (),
) -> Manifest:
    """Write every split found in `resize` as TFRecord shards into `out` and return the manifest, which is written last.

    Shards are cut by `records_per_shard` or `shard_mb`. What an earlier or killed run left in `out` is removed first.
    With `only`, just the shards of these names, of which tables and manifest then speak.

    Raises RecordError where a tar, a description or a photo is not what the resize stage writes, and where there are no
    photos at all.
    """
    form = form or Form()
    prepare_folder(out)
    squares = SquareManifest.read(resize)
    # Names that only people read would make a new translation retrain every network.
    taxonomy = taxonomy.model_copy(update={"vernacular": {}, "vernaculars": {}})
    taxonomy.write(out / TAXONOMY)
    recipe = Recipe(out / TAXONOMY, file_sha256(out / TAXONOMY), form, squares.style.size)
    cut = Cut(records_per_shard, shard_mb, min_shards)
    memory_bytes = shuffle_memory_mb * MEGABYTE // 2
    write = partial(write_shard, recipe=recipe, memory_bytes=memory_bytes // count_workers(engine.workers))
    splits: dict[str, SplitEntry] = {}
    with writing_labels(out / LABELS) as labels:
        for split in (*DRAWN, *HELD_OUT):
            tars = {resize / name: num for name, num in squares.num_photos.items() if name.startswith(f"{split}-")}
            if split in HELD_OUT and not tars:
                continue
            num_photos = sum(tars.values())
            with Shuffle(list(tars), num_photos, salt=salt, memory_bytes=memory_bytes, folder=out) as shuffle:
                shuffle.fill(engine, f"index {split}")
                entries = []
                for planned in _plan(shuffle, split, cut, recipe, out):
                    plans = [plan for plan in planned if not only or plan.path.name in only]
                    for entry, rows in map_shards(write, plans, engine, f"write {split}"):
                        entries.append(entry)
                        labels.append(split, rows)
                splits[split] = SplitEntry(num_records=shuffle.num_photos, shards=entries)
        if not any(split.num_records for split in splits.values()):
            raise RecordError(f"{resize} holds no photos; expected some in {', '.join(DRAWN)}")
    manifest = Manifest(
        style=squares.style,
        kind=form.kind,
        pixels=form.pixels,
        compression=form.compression,
        splits=splits,
        features=feature_specs(taxonomy, form.fields(recipe.side)),
        tables={name: file_sha256(out / name) for name in (LABELS, TAXONOMY)},
    )
    manifest.write(out)
    return manifest


def prepare_folder(out: Path) -> None:
    """Make `out` a folder without records: first its manifest goes, then what it spoke for."""
    out.mkdir(parents=True, exist_ok=True)
    (out / MANIFEST).unlink(missing_ok=True)
    remove_partials(out)
    for old in (*out.glob("*.tfrecord"), *out.glob("*.index")):
        old.unlink()


def _plan(shuffle: Shuffle, split: str, cut: Cut, recipe: Recipe, out: Path) -> Iterator[list[ShardPlan]]:
    form, count = recipe.form, shuffle.num_photos
    num_bytes = count * (form.num_pixel_bytes(recipe.side) + TYPICAL_FACTS)
    if form.kind == "image":
        num_bytes += shuffle.num_image_bytes
    bounds = cut.bounds(count, num_bytes)
    names = [form.shard_name(split, number, len(bounds) - 1) for number in range(len(bounds) - 1)]
    return plan_shards(shuffle.buckets(), bounds, [out / name for name in names], shuffle.tars)
