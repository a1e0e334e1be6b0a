"""Random access to finished records, and the errors that damaged ones give."""

import json
import pickle
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fieldguide.errors import RecordError
from fieldguide.files import file_sha256, write_table
from fieldguide.records.manifest import LABELS, Manifest
from fieldguide.records.reader import RecordSet
from tests.records.making import TAXONOMY, make_photo

TRAIN = {photo_id: (image, description) for photo_id, image, description in map(make_photo, range(40))}


def test_every_record_is_what_went_in(finished: Path):
    records = RecordSet.open(finished, "train")
    assert len(records) == 40
    assert sorted(records.photo_ids) == sorted(TRAIN)
    for photo_id, record in zip(records.photo_ids, records, strict=True):
        image, description = TRAIN[photo_id]
        assert record.photo_id == photo_id
        assert record.image == image
        assert {rank: TAXONOMY.classes[rank][label] for rank, label in record.labels.items()} == description["labels"]
        assert record.region == description["region"]
        assert list(record.box) == description["box"]


def test_columns_agree_with_the_records(finished: Path):
    records = RecordSet.open(finished, "train")
    assert records.regions == [record.region for record in records]
    for rank in TAXONOMY.ranks:
        labels = records.labels(rank)
        assert labels.dtype == np.int64
        assert labels.tolist() == [record.labels[rank] for record in records]


def test_a_column_is_the_whole_split(finished: Path):
    records = RecordSet.open(finished, "val")
    assert records.column("photo_id").to_list() == records.photo_ids == [record.photo_id for record in records]
    assert records.lie_in("north").tolist() == [record.region == "north" for record in records]
    assert not records.lie_in("nowhere").any()


def test_a_photo_is_that_of_the_record(finished: Path):
    records = RecordSet.open(finished, "train")
    for position, record in enumerate(records):
        assert records.read_photo(position) == (record.photo_id, record.image, record.box)
    assert records.read_photo(-1) == records.read_photo(39)
    with pytest.raises(IndexError):
        records.read_photo(40)


def test_more_shards_than_files_may_be_open(finished: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("resource.getrlimit", lambda _: (2, 2))
    records = RecordSet.open(finished, "train")
    for _ in range(2):
        assert [records[position].photo_id for position in (0, 39, 20, 1)] == [
            records.photo_ids[position] for position in (0, 39, 20, 1)
        ]
    assert len(records._shards._maps) == 1


def test_a_table_of_other_rows_is_refused(records: Path):
    rows = pl.read_parquet(records / LABELS)
    write_table(rows.with_columns(split=pl.lit("train")), records / LABELS)
    manifest = Manifest.read(records)
    tables = {**manifest.tables, LABELS: file_sha256(records / LABELS)}
    manifest.model_copy(update={"tables": tables}).write(records)
    with pytest.raises(RecordError, match=r"labels.parquet: 0 records of val, the manifest says 7"):
        RecordSet.open(records, "val")


def test_is_a_sequence(finished: Path):
    records = RecordSet.open(finished, "val")
    assert records[-1] == records[6]
    assert records[2:4] == [records[2], records[3]]
    for outside in (7, -8):
        with pytest.raises(IndexError):
            records[outside]


def test_survives_pickling_after_use(finished: Path):
    records = RecordSet.open(finished, "test")
    first = records[0]
    copy = pickle.loads(pickle.dumps(records))
    assert copy[0] == first
    assert copy.photo_ids == records.photo_ids
    assert len(pickle.dumps(records)) < 10_000


def test_carries_its_taxonomy(finished: Path):
    # Vernacular names stay with the split: a new translation must not retrain a network.
    assert RecordSet.open(finished, "val").taxonomy == TAXONOMY.model_copy(update={"vernacular": {}, "vernaculars": {}})


def test_unknown_split_lists_those_there_are(finished: Path):
    with pytest.raises(RecordError, match="no split 'valid' among the records; found train, val, test"):
        RecordSet.open(finished, "valid")


def test_every_damaged_byte_is_found_and_named(records: Path):
    shard = records / "val-00000-of-00001.tfrecord"
    content = shard.read_bytes()
    lines = [line.split() for line in Path(f"{shard}.index").read_text().splitlines()]
    for place in np.random.default_rng(0).integers(0, len(content), 40).tolist():
        damaged = bytearray(content)
        damaged[place] ^= 0x40
        shard.write_bytes(damaged)
        hit = max(number for number, (offset, _) in enumerate(lines) if int(offset) <= place)
        opened = RecordSet.open(records, "val")
        with pytest.raises(RecordError, match=rf"{shard.name} at byte {lines[hit][0]}: "):
            opened[hit]


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _edit_manifest(directory: Path, old: str, new: str) -> None:
    path = directory / "manifest.json"
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "manifest.json").unlink(), "manifest.json is missing; run the tfrecord stage first"),
        (lambda d: (d / "manifest.json").write_text("{"), r"manifest.json: the file: Invalid JSON"),
        (
            lambda d: _edit_manifest(d, '"val-00000', '"../val-00000'),
            r"splits\.val\.shards\.0\.file: .* plain file name",
        ),
        (lambda d: (d / "val-00000-of-00001.tfrecord").unlink(), "val-00000-of-00001.tfrecord is missing"),
        (lambda d: (d / "val-00000-of-00001.tfrecord").write_bytes(b""), "val-00000-of-00001.tfrecord is empty"),
        (lambda d: _truncate(d / "val-00000-of-00001.tfrecord"), r"has \d+ bytes, the manifest says \d+"),
        (lambda d: (d / "val-00000-of-00001.tfrecord.index").unlink(), "tfrecord.index is missing"),
        (lambda d: (d / "val-00000-of-00001.tfrecord.index").write_text("0 x\n"), "not lines of `offset length`"),
        (lambda d: (d / "val-00000-of-00001.tfrecord.index").write_text("0 9\n" * 7), "do not lie end to end"),
        (lambda d: (d / "val-00000-of-00001.tfrecord.index").write_text("0 99\n"), "1 records, the manifest says 7"),
        (lambda d: (d / "val-00000-of-00001.tfrecord.index").write_text(f"0 {10**30}\n" * 7), "do not lie end to end"),
    ],
)
def test_errors_say_what_is_wrong_and_where(records: Path, damage, message: str):
    damage(records)
    with pytest.raises(RecordError, match=message):
        RecordSet.open(records, "val")[0]


def test_labels_outside_the_taxonomy_are_refused(records: Path):
    taxonomy = json.loads((records / "taxonomy.json").read_text())
    taxonomy["classes"]["species"] = ["other"]
    (records / "taxonomy.json").write_text(json.dumps(taxonomy))
    manifest = Manifest.read(records)
    tables = {**manifest.tables, "taxonomy.json": file_sha256(records / "taxonomy.json")}
    manifest.model_copy(update={"tables": tables}).write(records)
    with pytest.raises(RecordError, match=r"species label \d is not among the 1 classes"):
        list(RecordSet.open(records, "val"))


def test_a_split_may_be_empty(records: Path):
    manifest = Manifest.read(records)
    write_table(pl.read_parquet(records / LABELS).filter(pl.col("split") != "val"), records / LABELS)
    no_shards = manifest.splits["val"].model_copy(update={"num_records": 0, "shards": []})
    tables = {**manifest.tables, LABELS: file_sha256(records / LABELS)}
    changes = {"splits": {**manifest.splits, "val": no_shards}, "tables": tables}
    manifest.model_copy(update=changes).write(records)
    opened = RecordSet.open(records, "val")
    assert (len(opened), opened.photo_ids, opened.labels("genus").shape) == (0, [], (0,))
