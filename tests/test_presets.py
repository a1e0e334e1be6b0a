"""Base and an overlay become one params file; single values are set as DVC sets them."""

from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from fieldguide.errors import ParamsError
from fieldguide.params import read_params
from fieldguide.presets import expand, load_overlay, preset_names, set_values, write_params

BASE = """
templates:
  backbone:
    architecture: vit    # its name
    image_size: 224      # px
    weights: {}
  training:
    epochs: 10
    rank_weights: {}
  teacher:
    region: null
  student:
    temperature: 3.0     # above 0
    architecture: small
    teachers: {}
  columns:
    id: null
    url: url
  fill:
    licence: null
  sources:
    table:
      path: null         # a file
      columns: {}
      fill: {}
    list:
      path: null
      fill: {}

fetch:
  sources: {}            # by name
  retries: 3             # again

split:
  taxonomy:
    path: taxa.csv
    columns: {}
  ranks: [species]       # the first counts
  ratios: {train: 0.8, val: 0.2}

embed:
  backbone: {}

train_teacher: {}

distill_student: {}
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    file = tmp_path / "base.yaml"
    file.write_text(BASE, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("overlay", "key", "expected"),
    [
        ({}, "fetch.retries", 3),
        ({"fetch": {"retries": 5}}, "fetch.retries", 5),
        ({"split": {"ranks": ["genus"]}}, "split.ranks", ["genus"]),
        ({"split": {"ratios": {"train": 0.9}}}, "split.ratios", {"train": 0.9, "val": 0.2}),
        ({"split": {"taxonomy": {"path": "own.csv"}}}, "split.taxonomy", {"path": "own.csv", "columns": {}}),
        ({"split": {"taxonomy": None}}, "split.taxonomy", None),
        ({"split": {"taxonomy": {"columns": {"any": "x"}}}}, "split.taxonomy.columns", {"any": "x"}),
        ({}, "embed.backbone", {"architecture": "vit", "image_size": 224, "weights": {}}),
        ({"templates": {"backbone": {"image_size": 64}}}, "embed.backbone.image_size", 64),
        (
            {"templates": {"backbone": {"image_size": 64}}, "embed": {"backbone": {"image_size": 32}}},
            "embed.backbone.image_size",
            32,
        ),
        (
            {"train_teacher": {"alps": {"epochs": 2}}},
            "train_teacher",
            {
                "alps": {
                    "region": None,
                    "architecture": "vit",
                    "image_size": 224,
                    "weights": {},
                    "epochs": 2,
                    "rank_weights": {},
                }
            },
        ),
        # What base says of the student counts more than what an overlay says of all networks.
        ({"templates": {"backbone": {"architecture": "large"}}}, "distill_student.architecture", "small"),
        ({"templates": {"student": {"architecture": "tiny"}}}, "distill_student.architecture", "tiny"),
        ({"distill_student": {"architecture": "tiny"}}, "distill_student.architecture", "tiny"),
        # A mapping whose keys are the user's is one value.
        (
            {
                "templates": {"training": {"rank_weights": {"species": 1, "genus": 1}}},
                "distill_student": {"rank_weights": {"order": 1}},
            },
            "distill_student.rank_weights",
            {"order": 1},
        ),
        (
            {"fetch": {"sources": {"mine": {"kind": "table", "path": "a.csv", "columns": {"id": "number"}}}}},
            "fetch.sources.mine",
            {"kind": "table", "path": "a.csv", "columns": {"id": "number", "url": "url"}, "fill": {"licence": None}},
        ),
        (
            {
                "templates": {"sources": {"list": {"path": "all.txt"}}, "fill": {"licence": "CC0"}},
                "fetch": {"sources": {"mine": {"kind": "list"}}},
            },
            "fetch.sources.mine",
            {"kind": "list", "path": "all.txt", "fill": {"licence": "CC0"}},
        ),
    ],
)
def test_an_overlay_changes_base(overlay: dict[str, Any], key: str, expected: Any, base: Path):
    content: Any = expand(overlay, base)
    assert "templates" not in content
    for part in key.split("."):
        content = content[part]
    assert content == expected


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"fetch": {"retry": 5}}, "key 'fetch.retry' is unknown; expected one of sources, retries"),
        ({"fetches": {}}, "key 'fetches' is unknown; expected one of fetch, split"),
        ({"fetch": 3}, "key 'fetch' is 3; expected a mapping"),
        ({"embed": None}, "key 'embed' is None; expected a mapping"),
        ({"fetch": {"sources": ["a"]}}, r"key 'fetch.sources' is \['a'\]; expected a mapping"),
        ({"train_teacher": None}, "key 'train_teacher' is None; expected a mapping"),
        ({"templates": {"backbones": {}}}, "key 'templates.backbones' is unknown; expected one of backbone"),
        ({"templates": {"training": {"region": "x"}}}, "key 'templates.training.region' is unknown"),
        ({"train_teacher": {"a": {"temperature": 1}}}, "key 'train_teacher.a.temperature' is unknown; .* region, arch"),
        ({"train_teacher": {"a": None}}, "key 'train_teacher.a' is None; expected a mapping"),
        ({"distill_student": {"region": 1}}, "key 'distill_student.region' is unknown; expected one of temperature"),
        ({"fetch": {"sources": {"a": {"path": "x"}}}}, "fetch.sources.a.kind is None; expected one of table, list"),
        ({"fetch": {"sources": {"a": {"kind": "x"}}}}, "fetch.sources.a.kind is 'x'; expected one of table, list"),
        (
            {"fetch": {"sources": {"a": {"kind": "list", "columns": {}}}}},
            "key 'fetch.sources.a.columns' is unknown; expected one of path, fill",
        ),
        (
            {"fetch": {"sources": {"a": {"kind": "table", "columns": {"name": "x"}}}}},
            "key 'fetch.sources.a.columns.name' is unknown; expected one of id, url",
        ),
    ],
)
def test_a_key_that_base_lacks_is_one_line(overlay: dict[str, Any], message: str, base: Path):
    with pytest.raises(ParamsError, match=message) as caught:
        expand(overlay, base)
    assert "\n" not in str(caught.value)


def test_what_is_written_is_explained_once(base: Path, tmp_path: Path):
    overlay = tmp_path / "own.yaml"
    overlay.write_text(
        "# Mine.\n\ntrain_teacher: {one: {}, two: {image_size: 9}}\n"
        "fetch: {sources: {a: {kind: table, path: a.csv}, b: {kind: table, path: b.csv}}}\n",
        encoding="utf-8",
    )
    write_params(expand(load_overlay(overlay), base), tmp_path / "params.yaml")
    text = (tmp_path / "params.yaml").read_text(encoding="utf-8")
    assert text.startswith("# Mine.\n# Written by a command: presets/base.yaml")
    # One comment for embed, one for the first teacher; one for the sources.
    counts = {comment: text.count(comment) for comment in ("# its name", "# px", "# a file", "# above 0", "# again")}
    assert counts == {"# its name": 2, "# px": 2, "# a file": 1, "# above 0": 1, "# again": 1}
    assert "ranks: [species]" in text
    assert "\n\nsplit:\n" in text


def test_what_is_written_has_no_anchors_and_equal_bytes(base: Path, tmp_path: Path):
    shared = {"species": [{"p": [0.5, 1e-3]}]}
    overlay = {"templates": {"training": {"rank_weights": shared}}, "train_teacher": {"one": {}, "two": {}}}
    for name in ("first", "again"):
        write_params(expand(overlay, base), tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes()
    # Anchors and aliases are refused.
    assert read_params(tmp_path / "first")["train_teacher"]["two"]["rank_weights"] == shared


def test_an_unknown_preset_names_those_there_are():
    assert "base" not in preset_names()
    with pytest.raises(ParamsError, match=r"preset 'base' is unknown; expected one of colorization, .*, sample"):
        load_overlay("base")
    with pytest.raises(ParamsError, match=r"absent\.yaml is missing"):
        load_overlay("absent.yaml")


@pytest.mark.parametrize(
    "override",
    [
        "fetch.retries=7",
        "fetch.retries=1e-3",
        "fetch.retries=null",
        "fetch.retries=NO",
        "fetch.retries=true",
        "fetch.retries='a, b'",
        "fetch.retries=data/x y.csv",
        "fetch.retries=[1, a, {b: c}]",
        "split.ranks=[genus,family]",
        "split.ranks.0=genus",
        "split.ratios={train: 0.5}",
        "split.taxonomy={path: own.csv}",
        "split.taxonomy=null",
        "split.ratios.train=0.25",
    ],
)
def test_a_value_is_set_as_dvc_sets_it(override: str, base: Path, tmp_path: Path):
    params = expand({}, base)
    file, ours = tmp_path / "params.yaml", tmp_path / "ours.yaml"
    write_params(params, file)
    apply_overrides(file, [override])
    set_values(params, [override])
    write_params(params, ours)
    assert read_params(ours) == read_params(file)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("fetch.retry=7", "key 'retry' is unknown; expected one of sources, retries"),
        ("fetch.retries.x=7", "key 'x' is unknown; expected one of none"),
        ("split.ranks.1=x", "key '1' is unknown; expected one of a number"),
        ("split.ratios={test: 1}", "key 'test' is unknown; expected one of train, val"),
        ("fetch.retries", "expected KEY=VALUE"),
        ("+fetch.more=1", "expected KEY=VALUE"),
        ("~fetch.retries", "expected KEY=VALUE"),
        ("fetch.retries=1,2", "expected KEY=VALUE with one value"),
        ("fetch.retries=[", "expected KEY=VALUE"),
    ],
)
def test_a_value_that_cannot_be_set_is_one_line(override: str, message: str, base: Path):
    with pytest.raises(ParamsError, match=message) as caught:
        set_values(expand({}, base), [override])
    assert str(caught.value).startswith(f"--set {override}: ")
    assert "\n" not in str(caught.value)
