"""Records to judge on, written once by a process with TensorFlow."""

from pathlib import Path

import pytest

from fieldguide.engine import run_isolated
from fieldguide.records.reader import RecordSet
from fieldguide.records.writer import write_records
from tests.records.making import ENGINE, TAXONOMY, make_resized


@pytest.fixture(scope="session")
def tfrecord(tmp_path_factory: pytest.TempPathFactory) -> Path:
    resized = make_resized(tmp_path_factory.mktemp("resize"), {"train": 60, "val": 24, "test": 30})
    out = tmp_path_factory.mktemp("tfrecord")
    run_isolated(write_records, resized, TAXONOMY, out, records_per_shard=64, salt="salt", engine=ENGINE)
    return out


@pytest.fixture
def val(tfrecord: Path) -> RecordSet:
    return RecordSet.open(tfrecord, "val")


@pytest.fixture
def test(tfrecord: Path) -> RecordSet:
    return RecordSet.open(tfrecord, "test")


@pytest.fixture
def train(tfrecord: Path) -> RecordSet:
    return RecordSet.open(tfrecord, "train")
