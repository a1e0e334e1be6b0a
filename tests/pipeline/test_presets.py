"""params.yaml and every preset fit the stages' models."""

import subprocess
import sys

import pytest

from tests.pipeline.pipeline_file import StageEntry, read_stages
from tests.pipeline.project import ROOT

STAGES = read_stages()
FILES = [ROOT / "params.yaml", *sorted((ROOT / "presets").glob("*.yaml"))]

LOAD = """
import importlib, sys
from pathlib import Path
from fieldguide.params import load_section, read_params
from fieldguide.stage import section_model

name, has_variants, *files = sys.argv[1:]
model = section_model(getattr(importlib.import_module(f"stages.{name}"), name))
for file in map(Path, files):
    variants = [f"{name}.{variant}" for variant in read_params(file)[name]] if has_variants == "yes" else [name]
    for section in variants:
        load_section(model, section, file)
"""


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES, ids=[stage.name for stage in STAGES])
def test_every_params_file_fits_the_stage(stage: StageEntry):
    # A process for each stage: one may import PyTorch, another TensorFlow.
    arguments = [stage.script.stem, "yes" if stage.is_foreach else "no", *map(str, FILES)]
    finished = subprocess.run(
        [sys.executable, "-c", LOAD, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
