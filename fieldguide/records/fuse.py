"""Joins finished image records with what a network says of them and with their L*a*b* planes, for colourisation.

The features of a record are those of the image record, then image_name, image_l, image_ab and image_embedding. Order,
shards and tables are those of the image records, which the fused ones can stand in for.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fieldguide.engine import EngineParams, map_shards
from fieldguide.errors import PhotoError, RecordError
from fieldguide.files import written_whole
from fieldguide.images.encode import ImageFormat
from fieldguide.images.lab import rgb_to_lab, scale_lab
from fieldguide.records.described_square import decode_pixels
from fieldguide.records.encoding import append_features, encode_feature
from fieldguide.records.example import parse_example
from fieldguide.records.kinds import Form
from fieldguide.records.manifest import FeatureSpec, Manifest, ShardEntry, SplitEntry
from fieldguide.records.shard_file import iterate_payloads, write_shard_file
from fieldguide.records.writer import prepare_folder


@dataclass(frozen=True)
class FusedShard:
    """One shard to write, and of what."""

    path: Path
    records: Path
    """A shard of image records."""
    embeddings: Path
    """.npy [num_photos of the split, dim]"""
    rows: slice
    """Those of this shard."""


def fuse_records(tfrecord: Path, out: Path, embeddings: Mapping[str, Path], engine: EngineParams) -> Manifest:
    """Write the records of `tfrecord`, fused with the rows of a .npy file for each split, into `out`.

    Returns the manifest, written last. Raises RecordError where the records hold no images, a shard is damaged, or a
    file has not one row for each record.
    """
    source = Manifest.read(tfrecord)
    if source.kind != "image" or source.compression != "none":
        raise RecordError(f"{tfrecord} holds records of kind {source.kind}; expected image, not compressed")
    prepare_folder(out)
    # L*a*b* is described by its own kind; the embedding by what there is of it.
    specs = {field.name: field.spec for field in Form("lab").fields(source.style.size)}
    splits: dict[str, SplitEntry] = {}
    for split, entry in source.splits.items():
        shape = np.load(embeddings[split], mmap_mode="r").shape
        if len(shape) != 2 or shape[0] != entry.num_records:
            raise RecordError(f"{embeddings[split]} is {list(shape)}; expected {entry.num_records} rows, one a record")
        specs["image_embedding"] = FeatureSpec(dtype="float32", shape=[shape[1]])
        shards = list(_plan(split, entry, tfrecord, out, embeddings[split]))
        entries = list(map_shards(fuse_shard, shards, engine, f"fuse {split}"))
        splits[split] = SplitEntry(num_records=entry.num_records, shards=entries)
    for name in source.tables:
        source.check_table(tfrecord, name)
        with written_whole(out / name) as temporary:
            shutil.copyfile(tfrecord / name, temporary)
    fused = source.model_copy(update={"kind": "fused", "splits": splits, "features": source.features | specs})
    fused.write(out)
    return fused


def _plan(split: str, entry: SplitEntry, tfrecord: Path, out: Path, embeddings: Path) -> Iterator[FusedShard]:
    first = 0
    for number, shard in enumerate(entry.shards):
        path = out / Form("fused").shard_name(split, number, len(entry.shards))
        yield FusedShard(path, tfrecord / shard.file, embeddings, slice(first, first + shard.num_records))
        first += shard.num_records


def fuse_shard(shard: FusedShard) -> ShardEntry:
    """Write one shard and its index; return its manifest entry."""
    rows = np.array(np.load(shard.embeddings, mmap_mode="r")[shard.rows], np.float32)
    payloads = iterate_payloads(shard.records)
    return write_shard_file(
        shard.path, (_fuse(payload, row, shard) for payload, row in zip(payloads, rows, strict=True))
    )


def _fuse(payload: memoryview, embedding: np.ndarray, shard: FusedShard) -> bytes:
    features = parse_example(payload)
    [image], [name], [format] = (features[f"image/{name}"] for name in ("encoded", "filename", "format"))
    assert isinstance(image, bytes)
    assert isinstance(name, bytes)
    assert isinstance(format, bytes)
    try:
        lightness, colour = scale_lab(rgb_to_lab(decode_pixels(image, ImageFormat(format.decode()))))
    except PhotoError as error:
        raise RecordError(f"{shard.records}: {name.decode()} {error}") from None
    # In the order of their names, which come after those that begin with `image/`.
    return append_features(
        payload,
        (
            encode_feature("image_ab", "float32", colour),
            encode_feature("image_embedding", "float32", embedding),
            encode_feature("image_l", "float32", lightness),
            encode_feature("image_name", "bytes", [name]),
        ),
    )
