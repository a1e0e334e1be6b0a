"""The programs in docs/readers.md that say they are whole are run as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_script(mark: str, records: Path, folder: Path) -> str:
    """What the program prints that has `mark` in it, beside a copy of `records`."""
    page = (ROOT / "docs/readers.md").read_text(encoding="utf-8")
    (script,) = (text for text in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if mark in text)
    assert len([line for line in script.splitlines() if line.strip()]) <= 22
    shutil.copytree(records, folder / "interim/tfrecord")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_keras_script_runs(finished: Path, tmp_path: Path):
    printed = run_script("import keras", finished, tmp_path)
    assert "Epoch 3/3" in printed
    assert "val_accuracy" in printed
    assert (tmp_path / "species.keras").is_file()


def test_the_pytorch_script_runs(finished: Path, tmp_path: Path):
    assert re.fullmatch(r"right: [01]\.\d{3}\n", run_script("import RecordDataset", finished, tmp_path))
