"""A teacher waits for the one that it starts from, and for no other: the edges that DVC makes of dvc.yaml."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from fieldguide.presets import expand, load_overlay, set_values, write_params
from tests.pipeline.closure import CODE
from tests.pipeline.pipeline_file import read_stages
from tests.pipeline.project import ROOT, Project

EDGE = re.compile(r'"train-teacher@(\w+)" -> "train-teacher@(\w+)"')
PLACEHOLDER = "metrics/train-teacher-None.json"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """dvc.yaml in a DVC repository without Git; params.yaml is the test's."""
    root = tmp_path_factory.mktemp("pipeline")
    shutil.copy(ROOT / "dvc.yaml", root)
    project = Project(root)
    project.run("dvc", "init", "--no-scm", "--quiet")
    return project


def edges(pipeline: Project, *changes: str) -> set[tuple[str, str]]:
    """(earlier, later) of teachers, in the graph of the sample's parameters after `changes`."""
    params = expand(load_overlay("sample"))
    set_values(params, changes)
    write_params(params, pipeline.root / "params.yaml")
    return set(EDGE.findall(pipeline.run("dvc", "dag", "--dot")))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], set()),
        (["train_teacher.regional.init_from=global"], {("global", "regional")}),
        (["train_teacher.global.init_from=regional"], {("regional", "global")}),
    ],
)
def test_there_is_an_edge_where_a_teacher_starts_from_another_one(
    pipeline: Project, changes: list[str], expected: set[tuple[str, str]]
):
    assert edges(pipeline, *changes) == expected


def test_dvc_too_refuses_a_ring(pipeline: Project):
    params = expand(load_overlay("sample"))
    set_values(params, ["train_teacher.regional.init_from=global", "train_teacher.global.init_from=regional"])
    write_params(params, pipeline.root / "params.yaml")
    said = pipeline.run("dvc", "dag", "--dot", check=False)
    assert "both a dependency and an output in stages" in said
    assert {"train-teacher@global", "train-teacher@regional"} <= set(said.replace(",", " ").rstrip(".\n").split())


def test_teachers_without_a_start_wait_for_a_file_that_git_holds():
    assert Project(ROOT).run("git", "check-ignore", "--no-index", PLACEHOLDER, check=False) == ""
    assert (ROOT / PLACEHOLDER).read_text() == "{}\n"


@pytest.mark.slow
def test_an_experiment_lets_a_teacher_start_from_another_one(tmp_path: Path):
    stage = next(stage for stage in read_stages() if stage.name == "train-teacher")
    data = [dep for dep in stage.paths("deps") if not CODE.fullmatch(dep)]
    words = (
        "mkdir -p models/teachers/${key} "
        "&& cp metrics/train-teacher-${item.init_from}.json models/teachers/${key}/start "
        "&& echo ${key} > metrics/train-teacher-${key}.json"
    )
    template = {**stage.content, "cmd": words, "deps": data}
    entry = {"foreach": "${train_teacher}", "do": template}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"train-teacher": entry}}), encoding="utf-8")
    write_params(expand(load_overlay("sample")), tmp_path / "params.yaml")
    for path in (*data[:2], "interim/split/train_all.parquet", PLACEHOLDER):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path, encoding="utf-8")
    (tmp_path / ".gitignore").write_text("/models/teachers/*/\n", encoding="utf-8")
    project = Project(tmp_path)
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.run("dvc", "init", "--quiet")
    project.commit("Two teachers")

    project.run("dvc", "exp", "run", "-S", "train_teacher.regional.init_from=global")
    started = {name: (tmp_path / f"models/teachers/{name}/start").read_text() for name in ("global", "regional")}
    assert started == {"global": PLACEHOLDER, "regional": "global\n"}
    lock = yaml.safe_load((tmp_path / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    reads = {name: {dep["path"] for dep in lock[f"train-teacher@{name}"]["deps"]} for name in started}
    assert reads["regional"] - reads["global"] == {"metrics/train-teacher-global.json"}
    assert reads["global"] - reads["regional"] == {PLACEHOLDER}
