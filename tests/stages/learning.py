"""Runs the learning stages as programs on a small flora."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fieldguide.engine import run_isolated
from fieldguide.records.writer import write_records
from tests.records.making import ENGINE, TAXONOMY, make_resized

ROOT = Path(__file__).parents[2]


def make_workspace(directory: Path, params: dict[str, Any]) -> Path:
    """A folder with params.yaml, interim/tfrecord and interim/split; returns it."""
    resized = make_resized(directory / "interim/split", {"train": 48, "val": 12, "test": 6})
    # TensorFlow and torch may not share the test's process.
    records = directory / "interim/tfrecord"
    run_isolated(write_records, resized, TAXONOMY, records, records_per_shard=20, salt="salt", engine=ENGINE)
    (directory / "params.yaml").write_text(json.dumps(params))
    return directory


def run_stage(workspace: Path, stage: str, **options: str) -> subprocess.CompletedProcess[str]:
    """`python -m stages.STAGE --option value ...` in `workspace`."""
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    return subprocess.run(
        [sys.executable, "-m", f"stages.{stage}", *arguments],
        cwd=workspace,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FIELDGUIDE_TRACKING": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
