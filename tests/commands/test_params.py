"""`python -m fieldguide params`: what a key may hold and what it means."""

import subprocess
import sys

import pytest

from fieldguide.__main__ import main
from fieldguide.commands.params import NAME, find_parameters
from fieldguide.errors import ParamsError
from fieldguide.presets import expand, load_overlay, preset_names
from fieldguide.sections import BY_NAME, SECTIONS
from tests.pipeline.project import ROOT


def test_a_key_shows_its_type_limits_and_meaning(capsys: pytest.CaptureFixture[str]):
    main(["params", "train_teacher.epochs"])
    assert (
        capsys.readouterr().out == "train_teacher.NAME.epochs: integer above 0\n    Passes over the training photos.\n"
    )


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ("split.frequency", ["split.frequency", "split.frequency.few_below", "split.frequency.many_above"]),
        ("train_teacher.global.epochs", ["train_teacher.NAME.epochs"]),
        ("distill_student.weights.path", ["distill_student.weights (from: file).path"]),
        ("fetch.sources.url", ["fetch.sources.NAME (kind: mongodb).url", "fetch.sources.NAME (kind: sql).url"]),
        ("fetch.sources.flora.pattern", ["fetch.sources.NAME (kind: folders).pattern"]),
    ],
)
def test_a_key_is_found_with_and_without_names_of_ones_own(asked: str, keys: list[str]):
    assert [".".join(parameter.key) for parameter in find_parameters(asked)] == keys


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("clean.drop_near_duplicates", "true | false"),
        ("clean.replacements", "path | null"),
        ("clean.near_duplicate_distance", "integer at least -1 and at most 127"),
        ("clean.quality", ""),
        ("resize.method", "pad | crop | squash | bbox"),
        ("resize.pad_color", "[3 x integer at least 0 and at most 255]"),
        ("split.group_by", "list of text"),
        ("split.ratios", "mapping of train | val | test | seen | unseen | blank to number at least 0 and at most 1"),
        ("distill_student.teachers", "mapping of names to number at least 0"),
        ("distill_student.ema_decay", "number above 0 and below 1 | null"),
        ("distill_student.transforms", "list of mapping"),
        ("embed.backbone.weights", "from: file | hub | scratch"),
        ("fetch.regions.countries", "mapping of names to list of text"),
    ],
)
def test_what_a_key_may_hold_is_told(key: str, allowed: str):
    assert find_parameters(key)[0].allowed == allowed


@pytest.mark.parametrize("name", preset_names())
def test_every_key_of_a_preset_is_listed(name: str):
    listed = {section: {parameter.key[1:] for parameter in find_parameters(section)} for section in SECTIONS}
    for section, content in expand(load_overlay(name)).items():
        prefix = (NAME,) if section in BY_NAME else ()
        keys = next(iter(content.values())) if section in BY_NAME else content
        assert {(*prefix, key) for key in keys} <= listed[section]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("training", "section 'training' is unknown; expected one of fetch, clean,"),
        ("split.rank", "key 'split.rank' is unknown; expected one of split.ranks, split.taxonomy,"),
    ],
)
def test_an_unknown_key_names_those_there_are(asked: str, message: str):
    with pytest.raises(ParamsError, match=message):
        find_parameters(asked)


def test_no_framework_is_loaded():
    loaded = (
        "import sys; import fieldguide.commands.params; print({'torch', 'tensorflow', 'mlflow'} & set(sys.modules))"
    )
    finished = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout == "set()\n"
