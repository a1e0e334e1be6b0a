"""One small set of records for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldguide.engine import run_isolated
from fieldguide.records.reader import RecordSet
from fieldguide.records.writer import write_records
from tests.records.making import ENGINE, TAXONOMY, make_resized


@pytest.fixture(scope="session")
def tfrecord(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tfrecord folder with taxonomy.json; read only."""
    resized = make_resized(tmp_path_factory.mktemp("resize"), {"train": 48, "val": 12, "test": 6})
    out = tmp_path_factory.mktemp("tfrecord")
    # TensorFlow and torch may not share the test's process.
    run_isolated(write_records, resized, TAXONOMY, out, records_per_shard=20, salt="salt", engine=ENGINE)
    return out


@pytest.fixture
def train(tfrecord: Path) -> RecordSet:
    return RecordSet.open(tfrecord, "train")


@pytest.fixture(scope="session")
def _main_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("main-repository")


@pytest.fixture(scope="module", autouse=True)
def _checkpoints_elsewhere(_main_repository: Path) -> Iterator[None]:
    """Runs keep their checkpoints below the main repository; in the tests of this folder that is a temporary one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(_main_repository))
        yield
