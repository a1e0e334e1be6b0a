"""The training script of docs/readers.md runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

from tests.pipeline.project import ROOT


def test_the_script_of_the_documentation_runs(finished: Path, tmp_path: Path):
    page = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    (script,) = (text for text in re.findall(r"```python\n(.*?)```", page, re.S) if "import timm" in text)
    assert len([line for line in script.splitlines() if line.strip()]) <= 22
    (tmp_path / "interim").mkdir()
    (tmp_path / "interim" / "tfrecord").symlink_to(finished)
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert re.fullmatch(r"right: [01]\.\d{3}\n", run.stdout)
