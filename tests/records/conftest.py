"""One small set of records, written once for all tests of this folder."""

import shutil
from pathlib import Path

import pytest

from fieldguide.engine import run_isolated
from fieldguide.records.writer import write_records
from tests.records.making import ENGINE, TAXONOMY, make_resized

COUNTS = {"train": 40, "val": 7, "test": 5}


@pytest.fixture(scope="session")
def resized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_resized(tmp_path_factory.mktemp("resize"), COUNTS)


@pytest.fixture(scope="session")
def finished(resized: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tfrecord folder; read only."""
    out = tmp_path_factory.mktemp("tfrecord")
    # TensorFlow and torch may not share the test's process.
    run_isolated(write_records, resized, TAXONOMY, out, records_per_shard=16, salt="salt", engine=ENGINE)
    return out


@pytest.fixture
def records(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished folder, to damage."""
    return Path(shutil.copytree(finished, tmp_path / "tfrecord"))
