"""dvc.yaml against the code: what DVC is not told about a stage it cannot act on."""

import ast
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
import yaml

from fieldguide.stage import OUTPUTS
from tests.pipeline.closure import ROOT, expand_folders, import_closure
from tests.pipeline.pipeline_file import StageEntry, read_stages, sections_read

STAGES = read_stages()
TEN = [
    "fetch",
    "clean",
    "split",
    "resize",
    "tfrecord",
    "embed",
    "train-teacher",
    "distill-student",
    "evaluate",
    "export-tfjs",
]

each_stage: Callable[..., pytest.MarkDecorator] = pytest.mark.parametrize(
    "stage", STAGES, ids=[stage.name for stage in STAGES]
)


def test_there_are_ten_stages():
    assert [stage.name for stage in STAGES] == TEN


@each_stage
def test_a_name_is_lower_case_words_joined_by_hyphens(stage: StageEntry):
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", stage.name)


@each_stage
def test_a_stage_has_a_script_a_description_and_parameters(stage: StageEntry):
    assert stage.script.is_file()
    assert stage.content.get("desc")
    assert stage.content.get("params")


@each_stage
def test_the_command_runs_the_stages_own_script(stage: StageEntry):
    # Bare `python`: the temporary workspace of an experiment has no environment of its own.
    assert stage.command()[:3] == ["python", "-m", f"stages.{stage.script.stem}"]


@each_stage
def test_the_command_gives_the_options_that_the_function_takes(stage: StageEntry):
    given = {word.removeprefix("--") for word in stage.command() if word.startswith("--")}
    tree = ast.parse(stage.script.read_text(encoding="utf-8"))
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == stage.script.stem)
    options = {
        argument.arg.replace("_", "-"): default is None
        for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    }
    assert given <= set(options), f"unknown: {sorted(given - set(options))}"
    assert {option for option, required in options.items() if required} <= given


@each_stage
def test_every_path_of_the_command_is_declared(stage: StageEntry):
    declared = stage.paths("deps", "outs", "metrics", "plots")
    words = stage.command()[3:]
    used = [value for option, value in pairwise(words) if option.startswith("--") and set("/.") & set(value)]
    # A stage may depend on some files of a folder that it is given.
    inside = {str(parent) for path in declared for parent in PurePosixPath(path).parents}
    assert [path for path in used if path not in declared and path not in inside] == []


@each_stage
def test_options_that_name_outputs_are_the_ones_whose_paths_are(stage: StageEntry):
    # What an output's name stands for gets digests, all else is held to them.
    given = {option.removeprefix("--"): value for option, value in pairwise(stage.command()[3:]) if "/" in value}
    outs = {option for option, value in given.items() if value in stage.paths("outs")}
    assert outs == given.keys() & set(OUTPUTS)


@each_stage
def test_code_deps_are_the_import_closure(stage: StageEntry):
    declared = expand_folders(stage.paths("deps"))
    needed = import_closure(stage.script)
    missing, superfluous = sorted(set(needed) - declared), sorted(declared - set(needed))
    assert not missing, f"{stage.name} imports {', '.join(missing)} but does not depend on it: make deps"
    assert not superfluous, f"{stage.name} depends on {', '.join(superfluous)} but does not import it: make deps"
    listed = stage.paths("deps")
    assert len(listed) == len(set(listed)), f"{stage.name} lists a dep twice"


@each_stage
def test_declared_parameters_are_the_ones_read(stage: StageEntry):
    declared = {str(section).replace("${key}", "*").replace("${item}", "*") for section in stage.content["params"]}
    read = sections_read(stage.script)
    # A whole section covers its variants.
    missing = sorted(section for section in read if section not in declared and section.split(".")[0] not in declared)
    unread = sorted(declared - read - {section.split(".")[0] for section in read})
    assert not missing, f"{stage.name} reads {', '.join(missing)}: declare it under params"
    assert not unread, f"{stage.name} declares {', '.join(unread)} but does not read it"


def test_every_section_of_params_belongs_to_a_stage():
    sections = set(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")))
    assert sections == {stage.name.replace("-", "_") for stage in STAGES}


@each_stage
def test_metrics_are_one_small_file_in_git(stage: StageEntry):
    variant = "-${key}" if stage.is_foreach else ""
    assert stage.listed("metrics") == [(f"metrics/{stage.name}{variant}.json", {"cache": False})]


@each_stage
def test_paths_stay_inside_the_project(stage: StageEntry):
    for path in stage.paths("deps", "outs", "metrics", "plots"):
        assert not urlsplit(path).scheme, path
        assert not PurePosixPath(path).is_absolute(), path
        assert ".." not in PurePosixPath(path).parts, path


def test_no_output_lies_inside_another():
    outs = sorted(PurePosixPath(path) for stage in STAGES for path in stage.paths("outs", "metrics", "plots"))
    nested = [f"{inner} in {outer}" for outer in outs for inner in outs if outer in inner.parents]
    assert nested == []
    assert len(outs) == len(set(outs))


def test_every_data_dep_is_the_output_of_a_stage_or_tracked():
    outs = [PurePosixPath(path) for stage in STAGES for path in stage.paths("outs")]
    for stage in STAGES:
        # A teacher may start from any other one.
        deps = [path.replace("${item.init_from}", "${key}") for path in stage.paths("deps")]
        for dep in map(PurePosixPath, deps):
            if dep.parts[0] in ("interim", "reports") or (dep.parts[0] == "models" and dep.name != "README.md"):
                assert any(dep == out or dep in out.parents or out in dep.parents for out in outs), (
                    f"{stage.name} reads {dep}, which no stage writes"
                )
