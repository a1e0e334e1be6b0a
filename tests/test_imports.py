"""Every module imports by itself, and no process ever holds both TensorFlow and PyTorch."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.project import ROOT

HOLD_TENSORFLOW = ("fieldguide.records", "fieldguide.export", "stages.tfrecord", "stages.export_tfjs")
HOLD_TORCH = ("fieldguide.records.torch",)
"""Inside one that may hold TensorFlow."""
HOLD_MLFLOW = (
    "fieldguide.commands.mlflow_sync",
    "fieldguide.track.dead_runs",
    "fieldguide.track.mlflow_run",
    "fieldguide.track.mlflow_store",
    "fieldguide.track.mlflow_sync",
)
HOLD_NOTHING = (
    "fieldguide.catalogue",
    "fieldguide.images",
    "fieldguide.fetch",
    "fieldguide.clean",
    "fieldguide.split",
    "fieldguide.learn.augmentations",
    "fieldguide.learn.description",
    "fieldguide.learn.params",
    "fieldguide.consistency",
    "fieldguide.presets",
    "fieldguide.sections",
)

# Each module is imported with none of the project's others loaded; what comes from outside stays, because a process
# for each module would spend its time on importing torch.
IMPORT_EACH_ALONE = """
import importlib, json, sys
modules, forbidden = json.loads(sys.argv[1])
for module in modules:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("fieldguide", "stages")]:
        del sys.modules[name]
    try:
        importlib.import_module(module)
    except Exception as error:
        raise ImportError(f"{module} does not import alone") from error
    brought = [name for name in forbidden if name in sys.modules]
    assert not brought, f"{module} brings {brought}"
"""


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = sorted(module_name(file) for package in ("fieldguide", "stages") for file in (ROOT / package).rglob("*.py"))


def within(packages: tuple[str, ...]) -> Callable[[str], bool]:
    return lambda module: any(module == package or module.startswith(f"{package}.") for package in packages)


def within_none(module: str) -> bool:
    return within(HOLD_TORCH)(module) or not within(HOLD_TENSORFLOW + HOLD_MLFLOW + HOLD_NOTHING)(module)


def hold_tensorflow(module: str) -> bool:
    return within(HOLD_TENSORFLOW)(module) and not within(HOLD_TORCH)(module)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("belongs", "forbidden"),
    [
        pytest.param(within(HOLD_NOTHING), ["tensorflow", "torch", "mlflow"], id="data"),
        pytest.param(hold_tensorflow, ["torch", "mlflow"], id="tensorflow"),
        pytest.param(within(HOLD_MLFLOW), ["tensorflow", "torch"], id="mlflow"),
        pytest.param(within_none, ["tensorflow", "mlflow"], id="torch"),
    ],
)
def test_modules_import_alone_and_bring_at_most_one_framework(belongs: Callable[[str], bool], forbidden: list[str]):
    modules = [module for module in MODULES if belongs(module)]
    assert modules
    finished = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH_ALONE, json.dumps([modules, forbidden])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
