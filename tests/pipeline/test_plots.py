"""The plots of dvc.yaml fit every preset: DVC complains of each file that a plot names and that is not there."""

from pathlib import PurePosixPath

import pytest
import yaml

from tests.pipeline.closure import ROOT
from tests.pipeline.pipeline_file import read_stages

PLOTS = {
    name: plot
    for entry in yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["plots"]
    for name, plot in entry.items()
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_reads_what_stages_without_variants_write(name: str):
    outs = [PurePosixPath(path) for stage in read_stages() if not stage.is_foreach for path in stage.paths("outs")]
    for file in map(PurePosixPath, PLOTS[name]["y"]):
        assert any(out in file.parents for out in outs), f"{file} is not there with every preset"
