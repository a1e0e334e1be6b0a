"""Rechecks a finished tfrecord folder from its bytes: digests, crcs, counts, labels, and that every photo decodes."""

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from fieldguide.errors import RecordError
from fieldguide.files import file_sha256
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
    seen: set[str] = set()
    for name, split in manifest.splits.items():
        records = RecordSet.open(directory, name)
        for entry in split.shards:
            if (digest := file_sha256(directory / entry.file)) != entry.sha256:
                raise RecordError(f"{directory / entry.file}: sha256 {digest}, the manifest says {entry.sha256}")
        for record in _decoded(records):
            if record.photo_id in seen:
                raise RecordError(f"{directory}: photo {record.photo_id} is in two records, the second in {name}")
            seen.add(record.photo_id)
    return {name: split.num_records for name, split in manifest.splits.items()}


def _decoded(records: RecordSet) -> Iterator[Record]:
    side = records.image_size
    for record in records:
        try:
            with Image.open(io.BytesIO(record.image), formats=["JPEG"]) as image:
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
