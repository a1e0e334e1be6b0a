"""Rechecks a finished tfrecord folder from its bytes: digests, crcs, counts, labels, and that every photo decodes."""

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from fieldguide.digests import damage
from fieldguide.errors import RecordError
from fieldguide.files import file_sha256
from fieldguide.images.encode import DECODERS
from fieldguide.records.manifest import Manifest
from fieldguide.records.reader import Record, RecordSet


def verify_records(directory: Path) -> dict[str, int]:
    """Check every byte below `directory` that the manifest speaks for; return the number of records per split.

    Raises RecordError naming the first shard, record or photo that is not as the manifest says, a shard that the
    manifest does not name, and a photo that is in two records.
    """
    manifest = Manifest.read(directory)
    named = {entry.file for split in manifest.splits.values() for entry in split.shards}
    if strangers := {path.name for path in directory.glob("*.tfrecord")} - named:
        raise RecordError(f"{directory}: {min(strangers)} is not in the manifest")
    for error in find_damaged_shards(directory):
        raise error
    seen: set[str] = set()
    for name in manifest.splits:
        records = RecordSet.open(directory, name)
        for record in _decoded(records):
            if record.photo_id in seen:
                raise RecordError(f"{directory}: photo {record.photo_id} is in two records, the second in {name}")
            seen.add(record.photo_id)
    return {name: split.num_records for name, split in manifest.splits.items()}


def find_damaged_shards(directory: Path, only: str | None = None) -> Iterator[RecordError]:
    """An error for every shard (or for the one called `only`) whose bytes are not those that the manifest names."""
    for split in Manifest.read(directory).splits.values():
        for entry in split.shards:
            shard = directory / entry.file
            if only not in (None, entry.file):
                continue
            if not shard.is_file():
                yield RecordError(f"{shard} is missing; the manifest names it")
            elif (digest := file_sha256(shard)) != entry.sha256:
                yield damage(shard, f"sha256 {digest}, the manifest says {entry.sha256}")


def _decoded(records: RecordSet) -> Iterator[Record]:
    side = records.image_size
    for record in records:
        try:
            with Image.open(io.BytesIO(record.image), formats=DECODERS) as image:
                image.load()
                size, mode = image.size, image.mode
        except (OSError, Image.DecompressionBombError) as error:
            raise RecordError(f"photo {record.photo_id} of {records.split} does not decode: {error}") from None
        if (size, mode) != ((side, side), "RGB"):
            raise RecordError(f"photo {record.photo_id} is {size[0]} x {size[1]} {mode}; expected {side} x {side} RGB")
        left, top, right, bottom = record.box
        if not (0 <= left < right <= side and 0 <= top < bottom <= side):
            raise RecordError(f"photo {record.photo_id} has box {list(record.box)}, outside {side} x {side}")
        yield record
