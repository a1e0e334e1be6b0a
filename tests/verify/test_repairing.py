"""Files come back byte for byte from DVC's cache, whatever links it made, and from its remote; the cache stays true."""

import argparse
import hashlib
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from fieldguide.commands.verify import add_arguments, run
from fieldguide.errors import FieldguideError
from tests.verify.making import copy_project, flip_any

STAGES = {
    "fetch": ["interim/fetch"],
    "resize": ["interim/resize"],
    "tfrecord": ["interim/tfrecord"],
    "embed": ["interim/embed"],
    "distill-student": ["models/student"],
    "export-tfjs": ["models/export", "models/tfjs"],
}
CONFIG = """
[core]
    no_scm = True
    remote = {remote}
[cache]
    type = {kind}
['remote "store"']
    url = ../store
"""
DAMAGED = [
    "interim/fetch/catalogue.parquet",
    "interim/resize/train-00001.tar",
    "interim/resize/digests.json",
    "interim/tfrecord/train-00000-of-00003.tfrecord",
    "interim/tfrecord/manifest.json",
    "interim/embed/val.npy",
    "models/student/model.safetensors",
    "models/export/s.onnx",
    "models/tfjs/bundle.json",
]


def verify(*words: str) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    run(parser.parse_args(words))


def dvc(*words: str, root: Path = Path()) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *words, "-q"], cwd=root, check=True)


@pytest.fixture(scope="module")
def tracked_project(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with DVC's lock file, its cache, and a remote, `store`, that has every object."""
    root = copy_project(project, tmp_path_factory.mktemp("tracked") / "root")
    stages = {
        stage: {"cmd": f"python -m stages.{stage.replace('-', '_')} --out {outs[0]}", "outs": outs}
        for stage, outs in STAGES.items()
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    dvc("init", "--no-scm", root=root)
    dvc("commit", "-f", root=root)
    shutil.copytree(root / ".dvc/cache", root / "store")
    return root


@pytest.fixture
def tracked(tracked_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`tracked("hardlink")` makes a copy of it, with such links to its cache, the current folder."""
    monkeypatch.chdir(copy_project(tracked_project, tmp_path / "tracked"))

    def link(kind: str, remote: str = "") -> None:
        Path(".dvc/config").write_text(CONFIG.format(kind=kind, remote=remote))
        if kind != "copy":
            dvc("checkout", "--relink", "-f")

    return link


def contents() -> dict[str, str]:
    return {str(path): hashlib.md5(path.read_bytes()).hexdigest() for path in map(Path, DAMAGED) if path.is_file()}


def bad_objects() -> list[Path]:
    return [
        each
        for each in Path(".dvc/cache/files/md5").glob("??/*")
        if hashlib.md5(each.read_bytes()).hexdigest() != (each.parent.name + each.name).removesuffix(".dir")
    ]


def damage(names: list[str]) -> None:
    draw = random.Random(3)
    for name in names:
        Path(name).resolve().chmod(0o644)
        flip_any(Path(name), draw)


@pytest.mark.parametrize("links", ["copy", "hardlink", "symlink"])
def test_all_kinds_of_files_come_back(tracked: Callable[..., None], links: str, capsys: pytest.CaptureFixture[str]):
    tracked(links, remote="store")
    before = contents()
    damage(DAMAGED)
    assert len(bad_objects()) == (0 if links == "copy" else len(DAMAGED))
    verify("interim", "models", "--repair")
    assert set(capsys.readouterr().out.splitlines()) == set(DAMAGED)
    assert contents() == before
    assert bad_objects() == []
    verify("interim", "models")
    assert capsys.readouterr().out == ""


def test_what_cannot_be_made_again_is_named_with_its_command(
    tracked: Callable[..., None], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    tracked("hardlink")
    damage(["models/student/model.safetensors"])
    with pytest.raises(FieldguideError, match="1 bad file"):
        verify("models", "--repair")
    assert capsys.readouterr().out == "models/student/model.safetensors\n"
    assert "`dvc repro --force distill-student`" in caplog.text
    assert bad_objects() == []


@pytest.mark.parametrize("links", ["copy", "hardlink"])
def test_what_is_deleted_leaves_no_bad_object(
    tracked: Callable[..., None], links: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    tracked(links)
    damage(["interim/resize/val-00000.tar"])
    others = {path for path in Path().rglob("*") if path.is_file() and ".dvc" not in path.parts}
    with pytest.raises(FieldguideError, match="1 bad file"):
        verify("interim", "--delete")
    assert capsys.readouterr().out == "interim/resize/val-00000.tar\n"
    left = {path for path in Path().rglob("*") if path.is_file() and ".dvc" not in path.parts}
    assert others - left == {Path("interim/resize/val-00000.tar")}
    assert bad_objects() == []
    step = "brings interim/resize back from DVC's cache" if links == "copy" else "runs the stage again"
    assert f"`dvc repro resize` {step}" in caplog.text
