"""params.yaml and the presets: written by the command, free of anchors, safe to experiment with, fit for the stages."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from fieldguide.params import read_params
from fieldguide.presets import expand, load_overlay, preset_names, write_params
from fieldguide.sections import BY_NAME, SECTIONS, check_params
from tests.pipeline.pipeline_file import StageEntry, read_stages
from tests.pipeline.project import ROOT

STAGES = read_stages()
FILES = [ROOT / "params.yaml", *sorted((ROOT / "presets").glob("*.yaml"))]

each_preset = pytest.mark.parametrize("name", preset_names())


def test_params_yaml_is_base_and_the_samples_overlay(tmp_path: Path):
    written = tmp_path / "params.yaml"
    write_params(expand(load_overlay("sample")), written)
    assert (ROOT / "params.yaml").read_bytes() == written.read_bytes(), "python -m fieldguide preset sample"


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_no_params_file_holds_anchors_aliases_or_merges(file: Path):
    # Not of the documents but of the texts: a loader resolves what it reads.
    tokens = list(yaml.scan(file.read_text(encoding="utf-8")))
    kinds = (yaml.AnchorToken, yaml.AliasToken)
    assert [token.start_mark.line + 1 for token in tokens if isinstance(token, kinds)] == []
    merges = [token for token in tokens if isinstance(token, yaml.ScalarToken) and token.value == "<<"]
    assert merges == []


@each_preset
def test_every_preset_fits_its_models(name: str):
    check_params(expand(load_overlay(name)), name)


@pytest.mark.parametrize("stage", STAGES, ids=[stage.name for stage in STAGES])
def test_a_stage_takes_the_model_of_its_section(stage: StageEntry):
    tree = ast.parse(stage.script.read_text(encoding="utf-8"))
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == stage.script.stem)
    annotation = function.args.args[0].annotation
    assert isinstance(annotation, ast.Name)
    assert annotation.id == SECTIONS[function.name].__name__
    assert stage.is_foreach == (function.name in BY_NAME)


def leaves(content: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that holds no others, by its dotted key."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    if not content or not inner:
        yield key, content
        return
    for name, value in inner:
        yield from leaves(value, f"{key}.{name}" if key else str(name))


def another(value: Any, number: int) -> Any:
    """A value of the same kind that no other leaf has."""
    match value:
        case bool():
            return not value
        case int() | float():
            return number + 1000.5
        case []:
            return [f"changed{number}"]
        case {}:
            return {"new": f"changed{number}"}
        case _:
            return f"changed{number}"


def override(key: str, value: Any) -> str:
    """What `dvc exp run -S` is given to set a leaf; a mapping without keys can only be given one."""
    if isinstance(value, dict):
        return f"+{key}.new={value['new']}"
    return f"{key}={value}"


@pytest.mark.slow
@each_preset
def test_dvc_sets_every_leaf_and_nothing_else(name: str, tmp_path: Path):
    # Every run sets the half of the leaves that have a certain digit in their binary number. So of any two leaves some
    # run sets the first and not the second: were one written through the other, that run would see it.
    file = tmp_path / "params.yaml"
    params = expand(load_overlay(name))
    write_params(params, file)
    before = dict(leaves(read_params(file)))
    changes = {key: another(value, number) for number, (key, value) in enumerate(before.items())}
    for place in range(len(before).bit_length()):
        for digit in (0, 1):
            chosen = {key: changes[key] for number, key in enumerate(before) if number >> place & 1 == digit}
            write_params(params, file)
            apply_overrides(file, [override(key, value) for key, value in chosen.items()])
            expected = before | chosen
            assert dict(leaves(read_params(file))) == dict(leaves({key: expected[key] for key in before}))
