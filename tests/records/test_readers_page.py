"""The programs in docs/readers.md that say they are whole are run as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_keras_script_runs(finished: Path, tmp_path: Path):
    page = (ROOT / "docs/readers.md").read_text(encoding="utf-8")
    (script,) = (text for text in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "import keras" in text)
    assert len([line for line in script.splitlines() if line.strip()]) <= 22
    shutil.copytree(finished, tmp_path / "interim/tfrecord")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Epoch 3/3" in done.stdout
    assert "val_accuracy" in done.stdout
    assert (tmp_path / "species.keras").is_file()
