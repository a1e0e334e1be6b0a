"""The pure parts of web/ in Node's own test runner: every *.test.mjs beside this file."""

import subprocess
import sys
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_node_runs_it(file: Path) -> None:
    command = [str(Path(sys.executable).with_name("node")), "--test", "--test-reporter=spec", str(file)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout
