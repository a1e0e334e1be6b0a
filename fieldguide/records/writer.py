"""Turns WebDataset tars into shuffled TFRecord shards with index, manifest and taxonomy.

One pass over the tar headers notes where each photo lies (52 bytes a photo); the order of the records is that of a
salted hash of their ids, so a new photo moves no other; then every shard gathers its own members and is written by
TensorFlow.
"""

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image
from pydantic import ValidationError

from fieldguide.catalogue.splits import DRAWN, HELD_OUT
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.engine import EngineParams, map_shards
from fieldguide.errors import RecordError
from fieldguide.files import file_sha256, remove_partials, salted_unit, write_table, written_whole
from fieldguide.records.example import OVERHEAD
from fieldguide.records.features import Description, feature_specs, to_example
from fieldguide.records.labels_table import tabulate_labels
from fieldguide.records.manifest import (
    LABELS,
    MANIFEST,
    TAXONOMY,
    Manifest,
    ShardEntry,
    SplitEntry,
    SquareManifest,
    index_path,
    write_index,
)
from fieldguide.tar import Member, group_samples, iterate_members, read_member

PLACE = np.dtype(
    {
        "names": ["order", "photo_id", "tar", "jpg", "jpg_size", "json", "json_size"],
        "formats": ["f8", "S16", "i4", "i8", "i8", "i8", "i8"],
    }
)
"""Where the two members of one photo lie, and its place in the shuffle."""


@dataclass(frozen=True)
class ShardPlan:
    """One shard to write: its file and the photos that go into it, in order."""

    path: Path
    places: np.ndarray
    """PLACE [num_records]."""


def write_records(
    resize: Path,
    taxonomy: Taxonomy,
    out: Path,
    *,
    records_per_shard: int,
    salt: str,
    engine: EngineParams,
    only: Collection[str] = (),
) -> Manifest:
    """Write every split found in `resize` as TFRecord shards into `out` and return the manifest, which is written last.

    With `only`, just the shards of these names; tables and manifest then speak of no others.
    What an earlier or killed run left in `out` is removed first. Raises RecordError where a tar, a description or a
    photo is not what the resize stage writes, and where there are no photos at all.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / MANIFEST).unlink(missing_ok=True)
    remove_partials(out)
    for old in (*out.glob("*.tfrecord"), *out.glob("*.index")):
        old.unlink()

    squares = SquareManifest.read(resize)
    splits: dict[str, SplitEntry] = {}
    labels: list[pl.DataFrame] = []
    for split in (*DRAWN, *HELD_OUT):
        tars = [resize / name for name in squares.num_photos if name.startswith(f"{split}-")]
        if split in HELD_OUT and not tars:
            continue
        places = order_photos(tars, salt, engine, f"index {split}")
        plans = list(plan_shards(places, out, split, records_per_shard))
        if only:
            plans = [plan for plan in plans if plan.path.name in only]
        write = partial(write_shard, tars=tars, side=squares.style.size, taxonomy=taxonomy)
        entries = []
        for entry, rows in map_shards(write, plans, engine, f"write {split}"):
            entries.append(entry)
            labels.append(rows.select(pl.lit(str(split)).alias("split"), pl.all()))
        splits[split] = SplitEntry(num_records=len(places), shards=entries)
    if not labels:
        raise RecordError(f"{resize} holds no photos; expected some in {', '.join(DRAWN)}")

    # Names that only people read would make a new translation retrain every network.
    taxonomy.model_copy(update={"vernacular": {}}).write(out / TAXONOMY)
    write_table(pl.concat(labels), out / LABELS)
    manifest = Manifest(
        style=squares.style,
        splits=splits,
        features=feature_specs(taxonomy),
        tables={name: file_sha256(out / name) for name in (LABELS, TAXONOMY)},
    )
    manifest.write(out)
    return manifest


def order_photos(tars: list[Path], salt: str, engine: EngineParams, label: str) -> np.ndarray:
    """Every photo of `tars` in the order of its salted hash: PLACE [num_photos]."""
    tables = list(map_shards(partial(locate_photos, salt=salt), tars, engine, label))
    for number, table in enumerate(tables):
        table["tar"] = number
    places = np.concatenate([np.empty(0, PLACE), *tables])
    places = places[np.lexsort((places["photo_id"], places["order"]))]
    twice = places["photo_id"][1:] == places["photo_id"][:-1]
    if twice.any():
        raise RecordError(f"photo {places['photo_id'][1:][twice][0].decode()} is in the tars twice")
    return places


def locate_photos(tar: Path, salt: str) -> np.ndarray:
    """Where each photo of one tar lies, in tar order: PLACE [num_photos] with `tar` 0."""
    rows = []
    for key, members in group_samples(iterate_members(tar)):
        if set(members) != {"jpg", "json"} or not key.isascii() or len(key) != 16:
            raise RecordError(
                f"{tar}: sample {key!r} has {', '.join(members)}; expected a 16-digit id with jpg and json"
            )
        jpg, json = members["jpg"], members["json"]
        rows.append((salted_unit(salt, key), key.encode(), 0, jpg.offset, jpg.size, json.offset, json.size))
    return np.array(rows, PLACE)


def plan_shards(places: np.ndarray, out: Path, split: str, records_per_shard: int) -> Iterator[ShardPlan]:
    """Cut the photos of a split into shards of `records_per_shard`; the last may be shorter."""
    num_shards = -(-len(places) // records_per_shard)
    for number in range(num_shards):
        rows = places[number * records_per_shard : (number + 1) * records_per_shard]
        yield ShardPlan(out / f"{split}-{number:05d}-of-{num_shards:05d}.tfrecord", rows)


def write_shard(plan: ShardPlan, tars: list[Path], side: int, taxonomy: Taxonomy) -> tuple[ShardEntry, pl.DataFrame]:
    """Write one shard of `side` px photos and its index; return its manifest entry and its rows of labels.parquet."""
    from fieldguide.records.quiet_tensorflow import tf

    lengths: list[int] = []
    described: list[Description] = []
    with written_whole(plan.path) as temporary, written_whole(index_path(plan.path)) as temporary_index:
        try:
            with tf.io.TFRecordWriter(str(temporary)) as writer:
                for where, content, description in gather(plan.places, tars):
                    check_image(content, side, where)
                    described.append(description)
                    example = to_example(content, side, description, taxonomy)
                    payload = example.SerializeToString(deterministic=True)
                    writer.write(payload)
                    lengths.append(len(payload) + OVERHEAD)
        except tf.errors.OpError as error:
            raise RecordError(f"{plan.path} cannot be written: {error.message}") from None
        write_index(temporary_index, lengths)
        entry = ShardEntry(
            file=plan.path.name, num_records=len(lengths), num_bytes=sum(lengths), sha256=file_sha256(temporary)
        )
    return entry, tabulate_labels(described, taxonomy)


def gather(places: np.ndarray, tars: list[Path]) -> Iterator[tuple[str, bytes, Description]]:
    """Read the photos at `places` and yield, in their order, where they were found, the JPEG and its description."""
    found: dict[int, tuple[str, bytes, Description]] = {}
    # One tar after the other, front to back: a shuffled shard touches many, and disks and descriptors dislike that.
    by_place = np.lexsort((places["jpg"], places["tar"]))
    for tar_number in np.unique(places["tar"]):
        tar = tars[tar_number]
        with tar.open("rb") as stream:
            for position in by_place[places["tar"][by_place] == tar_number].tolist():
                place, photo_id = places[position], places["photo_id"][position].decode()
                jpg = Member(f"{photo_id}.jpg", int(place["jpg"]), int(place["jpg_size"]))
                json = Member(f"{photo_id}.json", int(place["json"]), int(place["json_size"]))
                try:
                    description = Description.model_validate_json(read_member(stream, json))
                except ValidationError as error:
                    raise RecordError(f"{tar}: {json.name}: {error.errors()[0]['msg']}") from None
                if description.photo_id != photo_id:
                    raise RecordError(f"{tar}: {json.name} describes photo {description.photo_id!r}")
                found[position] = (f"{tar}: {jpg.name}", read_member(stream, jpg), description)
    for position in range(len(places)):
        yield found.pop(position)


def check_image(content: bytes, side: int, where: str) -> None:
    """Raise RecordError unless the header is that of a square JPEG of `side` px."""
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
            width, height = image.size
    except (OSError, Image.DecompressionBombError) as error:
        raise RecordError(f"{where} is not a JPEG: {error}") from None
    if (width, height) != (side, side):
        raise RecordError(f"{where} is {width} x {height} px; expected {side} x {side} px")
