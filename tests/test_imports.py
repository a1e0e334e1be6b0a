"""Every module imports by itself, and no process ever holds both TensorFlow and PyTorch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.project import ROOT

FRAMEWORKS = ("tensorflow", "torch", "mlflow")
MAY_HOLD_TENSORFLOW = ("fieldguide.records", "fieldguide.ship", "stages.tfrecord", "stages.export_tfjs")
MAY_NOT_HOLD_TORCH = ("fieldguide.records", "fieldguide.ship", "fieldguide.catalogue", "fieldguide.photos")
HOLD_MLFLOW = ("fieldguide.mlflow_store", "fieldguide.mlflow_sync")

IMPORT = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps([name for name in sys.argv[2:] if name in sys.modules]))
"""


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = sorted(module_name(file) for package in ("fieldguide", "stages") for file in (ROOT / package).rglob("*.py"))


def is_within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_alone_and_brings_at_most_one_framework(module: str):
    finished = subprocess.run(
        [sys.executable, "-c", IMPORT, module, *FRAMEWORKS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    held = set(json.loads(finished.stdout.splitlines()[-1]))
    assert not {"tensorflow", "torch"} <= held
    assert "tensorflow" not in held or is_within(module, MAY_HOLD_TENSORFLOW)
    assert "torch" not in held or not is_within(module, MAY_NOT_HOLD_TORCH)
    assert "mlflow" not in held or is_within(module, HOLD_MLFLOW)
