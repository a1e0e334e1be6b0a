"""The tfrecord stage as a program: options, metrics and errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fieldguide.verify.outputs import find_outputs
from fieldguide.verify.places import Place
from fieldguide.verify.search import search
from tests.records.making import make_resized


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    make_resized(tmp_path / "resize", {"train": 20, "val": 5})
    section = {"records_per_shard": 8, "salt": "salt", "engine": {"backend": "loky", "workers": 1}}
    (tmp_path / "params.yaml").write_text(json.dumps({"tfrecord": section}))
    return tmp_path


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
    (output,) = find_outputs([Place(str(workspace / "tfrecord"))])
    result = search(output, 1)
    assert (result.findings, result.num_photos) == ([], 25)
    metrics = json.loads((workspace / "metrics/tfrecord.json").read_text())
    num_bytes = sum(path.stat().st_size for path in (workspace / "tfrecord").glob("train-*.tfrecord"))
    assert metrics["train"] == {"num_records": 20, "num_shards": 3, "num_bytes": num_bytes}
    assert metrics["test"] == {"num_records": 0, "num_shards": 0, "num_bytes": 0}


def test_no_photos_is_one_line_and_exit_code_1(workspace: Path):
    make_resized(workspace / "empty", {})
    done = run_tfrecord(workspace, resize="empty")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("tfrecord: empty holds no photos; expected some in train")
    assert not (workspace / "tfrecord/manifest.json").exists()
