"""The tfrecord stage as a program: options, metrics and errors."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fieldguide.records.verify import verify_records
from tests.records.making import make_resized, tfrecord_section


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    make_resized(tmp_path / "resize", {"train": 20, "val": 5})
    write_params(tmp_path, records_per_shard=8)
    return tmp_path


def write_params(workspace: Path, **changes: Any) -> None:
    (workspace / "params.yaml").write_text(json.dumps({"tfrecord": tfrecord_section(**changes)}))


def run_tfrecord(workspace: Path, **options: str) -> subprocess.CompletedProcess[str]:
    options = {"resize": "resize", "split": "resize", "out": "tfrecord", **options}
    root = Path(__file__).parents[2]
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    return subprocess.run(
        [sys.executable, "-m", "stages.tfrecord", *arguments],
        cwd=workspace,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_writes_records_and_metrics(workspace: Path):
    done = run_tfrecord(workspace)
    assert done.returncode == 0, done.stderr
    assert verify_records(workspace / "tfrecord") == {"train": 20, "val": 5, "test": 0}
    metrics = json.loads((workspace / "metrics/tfrecord.json").read_text())
    num_bytes = sum(path.stat().st_size for path in (workspace / "tfrecord").glob("train-*.tfrecord"))
    assert metrics["train"] == {"num_records": 20, "num_shards": 3, "num_bytes": num_bytes}
    assert metrics["test"] == {"num_records": 0, "num_shards": 0, "num_bytes": 0}


@pytest.mark.parametrize(
    ("changes", "num_shards"),
    [({"min_shards": 7, "records_per_shard": 8}, 7), ({"shard_mb": 0.02, "records_per_shard": None}, 2)],
)
def test_shards_by_what_params_say(workspace: Path, changes: dict[str, Any], num_shards: int):
    write_params(workspace, **changes)
    done = run_tfrecord(workspace)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((workspace / "metrics/tfrecord.json").read_text())
    assert metrics["train"]["num_shards"] == num_shards
    assert len(list((workspace / "tfrecord").glob("train-*.tfrecord"))) == num_shards


def test_two_sizes_of_shards_are_refused(workspace: Path):
    write_params(workspace, shard_mb=100)
    done = run_tfrecord(workspace)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "tfrecord: params.yaml: key 'tfrecord': expected one of records_per_shard and shard_mb, and null for the other"
    ]


def test_no_photos_is_one_line_and_exit_code_1(workspace: Path):
    make_resized(workspace / "empty", {})
    done = run_tfrecord(workspace, resize="empty")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("tfrecord: empty holds no photos; expected some in train")
    assert not (workspace / "tfrecord/manifest.json").exists()
