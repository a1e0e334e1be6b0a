"""`verify_records` accepts what the stage wrote and names whatever was changed since."""

import shutil
from pathlib import Path

import pytest

from fieldguide.errors import FieldguideError, RecordError
from fieldguide.files import file_sha256
from fieldguide.records.manifest import Manifest
from fieldguide.records.verify import verify_records


def test_finished_records_pass(finished: Path):
    assert verify_records(finished) == {"train": 40, "val": 7, "test": 5}


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _repeat_val_as_test(directory: Path) -> None:
    manifest = Manifest.read(directory)
    splits = {**manifest.splits, "test": manifest.splits["val"]}
    manifest.model_copy(update={"splits": splits}).write(directory)


def _forge(directory: Path) -> None:
    """A flipped byte with a manifest that agrees with it: only the crc can tell."""
    shard = directory / "test-00000-of-00001.tfrecord"
    before = file_sha256(shard)
    _flip(shard)
    path = directory / "manifest.json"
    path.write_text(path.read_text().replace(before, file_sha256(shard)))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda d: _flip(d / "test-00000-of-00001.tfrecord"),
            r"test-00000-of-00001\.tfrecord is damaged: sha256 .* the manifest says",
        ),
        (_forge, r"test-00000-of-00001\.tfrecord at byte \d+: the crc"),
        (lambda d: shutil.copy(d / "val-00000-of-00001.tfrecord", d / "more.tfrecord"), "more.tfrecord is not in the"),
        (_repeat_val_as_test, "is in two records, the second in test|more|not in the manifest"),
        (lambda d: (d / "taxonomy.json").unlink(), "taxonomy.json is missing"),
    ],
)
def test_changes_are_found(records: Path, damage, message: str):
    damage(records)
    with pytest.raises(FieldguideError, match=message):
        verify_records(records)


def test_a_photo_that_does_not_decode(records: Path):
    manifest = Manifest.read(records)
    manifest.model_copy(update={"style": manifest.style.model_copy(update={"size": 64})}).write(records)
    with pytest.raises(RecordError, match="is 32 x 32 RGB; expected 64 x 64 RGB"):
        verify_records(records)
