"""What reruns when a parameter changes is what docs/pipeline.md says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from fieldguide.files import file_sha256
from tests.pipeline.project import ROOT, Project
from tests.pipeline.reruns import MARK, PATTERNS, as_markdown, leaves, rerun, row_of

PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def test_the_table_in_the_docs_is_the_one_of_the_pipeline():
    text = (ROOT / "docs/pipeline.md").read_text(encoding="utf-8")
    assert as_markdown() in text.split(MARK)[1], "python -m tests.pipeline.reruns prints the table"


def test_every_parameter_has_a_row_and_every_row_a_parameter():
    assert {row_of(parameter) for parameter in leaves(PARAMS)} == set(PATTERNS)


@pytest.mark.parametrize("parameter", leaves(PARAMS))
def test_training_reruns_for_its_own_parameters_and_for_the_data_alone(parameter: str):
    certain, later = rerun(row_of(parameter))
    section = parameter.split(".")[0]
    is_data = section in ("fetch", "clean", "split", "resize", "tfrecord") and "engine" not in parameter
    is_shown_only = parameter.startswith(("split.frequency", "split.train_small", "embed.review"))
    assert ("train-teacher" in certain) == (section == "train_teacher")
    assert ("train-teacher" in later) == ((is_data or section == "embed") and not is_shown_only)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"frequency": {"few_below": 3, "many_above": 7}}, {"interim/split"}),
        ({"train_small": 0.4}, {"interim/split/split.parquet", "interim/split/taxonomy.json", "reports/split"}),
    ],
)
def test_what_is_only_shown_changes_no_data(
    built_clone: Project, tmp_path: Path, changes: dict[str, Any], kept: set[str]
):
    root = built_clone.root
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params["split"] |= changes
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    (tmp_path / "data").symlink_to(root / "data")
    inputs = ["--fetch", str(root / "interim/fetch"), "--clean", str(root / "interim/clean")]
    outputs = ["--out", "interim/split", "--reports", "reports/split"]
    Project(tmp_path, {"PYTHONPATH": str(ROOT)}).run("python", "-m", "stages.split", *inputs, *outputs)
    for path in kept:
        files = [root / path] if (root / path).is_file() else sorted((root / path).iterdir())
        for file in files:
            assert file_sha256(tmp_path / file.relative_to(root)) == file_sha256(file), file
    written = {*(tmp_path / "interim/split").iterdir(), *(tmp_path / "reports/split").iterdir()}
    assert any(file_sha256(file) != file_sha256(root / file.relative_to(tmp_path)) for file in written)
