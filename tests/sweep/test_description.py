"""A sweep's file is refused before anything runs if it asks for what params.yaml or its models do not have."""

from pathlib import Path

import pytest
import yaml

from fieldguide.errors import ParamsError
from fieldguide.presets import expand, load_overlay, write_params
from fieldguide.sweep.description import overrides, read_sweep
from tests.pipeline.project import ROOT
from tests.sweep.project import PIPELINE, SWEEP

FILE = Path("sweeps/student.yaml")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the sample's parameters and a sweep."""
    monkeypatch.chdir(tmp_path)
    write_params(expand(load_overlay("sample")), Path("params.yaml"))
    Path("dvc.yaml").write_text(PIPELINE, encoding="utf-8")
    write({})
    return tmp_path


def write(changes: dict[str, object]) -> None:
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(yaml.safe_dump(yaml.safe_load(SWEEP) | changes), encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"space": {"distill_student.warmth": {"kind": "log", "low": 1, "high": 2}}},
         "distill_student.warmth=1.0: key 'warmth' is unknown; expected one of temperature, "),
        ({"space": {"distill_student.temperature": {"kind": "uniform", "low": -1, "high": 2}}},
         "key 'distill_student.temperature': Input should be greater than 0; got -1.0"),
        ({"space": {"distill_student.temperature": {"kind": "uniform", "low": 3, "high": 2}}},
         "low 3, high 2; expected low below high"),
        ({"space": {"distill_student.temperature": {"kind": "log", "low": 0, "high": 2}}},
         "low 0; expected above 0 where kind is log"),
        ({"space": {"distill_student.batch_size": {"kind": "int", "low": 1.5, "high": 2}}},
         "low 1.5, high 2; expected whole numbers where kind is int"),
        ({"space": {"distill_student.optimizer": {"kind": "categorical", "values": ["sgd", 7]}}},
         "key 'distill_student.optimizer'"),
        ({"space": {"distill_student.epochs": {"kind": "int", "low": 3, "high": 4}}},
         "distill_student.epochs stands in set and in space"),
        ({"space": {}}, "key 'sweep.space'"),
        ({"set": {"distill_student.epoch": 2}}, "key 'epoch' is unknown"),
        ({"targets": ["distil"]}, "target 'distil' is unknown; expected one of distill-student"),
        ({"metric": "val_top1"}, "key 'sweep.metric'"),
        ({"trails": 3}, "key 'sweep.trails' is unknown"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(root: Path, changes: dict[str, object], said: str):
    write(changes)
    with pytest.raises(ParamsError) as raised:
        read_sweep(FILE)
    assert str(raised.value).startswith("sweeps/student.yaml: ")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_name_that_git_would_refuse_is_refused(root: Path):
    odd = FILE.rename(FILE.with_name("my sweep.yaml"))
    with pytest.raises(ParamsError, match=r"the name 'my sweep' becomes that of experiments"):
        read_sweep(odd)


def test_the_sample_s_sweep_fits_the_sample(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    for file in sorted(Path("sweeps").glob("*.yaml")):
        name, sweep = read_sweep(file)
        assert name == file.stem
        assert sweep.space


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.00003, "a.b=3e-05"), (8, "a.b=8"), (True, "a.b=true"), (None, "a.b=null"), ("it's", r"a.b='it\'s'")],
)
def test_values_are_written_as_dvc_reads_them(value: object, written: str):
    assert overrides({"a.b": value}) == [written]
