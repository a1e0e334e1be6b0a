"""Kill -9 while a data stage writes, run it again: the same bytes as an undisturbed run."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.files import file_sha256
from tests.images.pictures import blotches, encode
from tests.records.making import tfrecord_section
from tests.stages.conftest import WriteFetch

ROOT = Path(__file__).parents[2]
NUM_PHOTOS = 160
COMMANDS = {
    "resize": "--fetch interim/fetch --split interim/split --out interim/resize",
    "tfrecord": "--resize interim/resize --split interim/split --out interim/tfrecord",
}


@pytest.fixture
def workspace(write_fetch: WriteFetch, tmp_path: Path) -> Path:
    """A folder in which stages run: params.yaml, interim/fetch, interim/split."""
    base = tmp_path / "workspace"
    contents = [encode(blotches(seed, 600, 450)) for seed in range(12)]
    write_fetch([(contents[number % 12], {}) for number in range(NUM_PHOTOS)], base / "interim" / "fetch")
    Taxonomy(
        ranks=["species"],
        classes={"species": ["other", "a"]},
        parents={"species": {"a": {}}},
        merged_into_other={},
        vernacular={},
        regions={},
    ).write(base / "interim" / "split" / "taxonomy.json")
    pl.DataFrame(
        {
            "photo_id": [f"{number:016x}" for number in range(NUM_PHOTOS)],
            "split": ["train"] * (NUM_PHOTOS - 40) + ["val"] * 20 + ["test"] * 20,
            "region": [None] * NUM_PHOTOS,
            "species": ["a"] * NUM_PHOTOS,
        },
        schema_overrides={"region": pl.String},
    ).write_parquet(base / "interim" / "split" / "split.parquet")
    (base / "params.yaml").write_text(
        "resize: {size: 64, method: pad, bbox_margin: 0, bbox_fallback: pad, upscale: true, pad_fill: color,"
        " pad_color: [255, 255, 255], format: jpeg, quality: 90, subsampling: '4:2:0', members: plain,"
        " photos_per_shard: 10,"
        " engine: {backend: loky, workers: 2}}\n"
        f"tfrecord: {json.dumps(tfrecord_section(records_per_shard=10))}\n"
    )
    return base


def start(stage: str, workspace: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"stages.{stage}", *COMMANDS[stage].split()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FIELDGUIDE_TRACKING": "off"}
    return subprocess.Popen(command, cwd=workspace, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: file_sha256(path) for path in sorted(folder.iterdir())}


@pytest.mark.slow
@pytest.mark.parametrize("stage", list(COMMANDS))
def test_killed_and_run_again(stage: str, workspace: Path) -> None:
    for name in list(COMMANDS)[: list(COMMANDS).index(stage)]:
        assert start(name, workspace).wait() == 0
    out = workspace / "interim" / stage
    began = time.monotonic()
    assert start(stage, workspace).wait() == 0
    duration = time.monotonic() - began
    undisturbed = digests(out)
    shutil.rmtree(out)

    for _ in range(2):
        process = start(stage, workspace)
        # From the first file on: before it there is nothing to lose.
        while process.poll() is None and not (out.exists() and any(out.iterdir())):
            time.sleep(0.01)
        time.sleep(random.uniform(0, duration / 10))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert start(stage, workspace).wait() == 0
    assert digests(out) == undisturbed
