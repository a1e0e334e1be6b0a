"""A stage makes again just the shards that are bad, with the parameters of dvc.lock, and they are the same bytes."""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml

from fieldguide.digests import write_digests
from fieldguide.engine import run_isolated
from fieldguide.errors import FieldguideError
from fieldguide.verify.dvc_objects import file_md5
from fieldguide.verify.rebuilding import is_rebuildable, rebuilt
from tests.images.pictures import blotches, encode
from tests.stages.conftest import WriteFetch, write_fetch
from tests.stages.flipping import ROOT, run
from tests.stages.test_flipped import CHANGES
from tests.verify.making import flip
from tests.verify.test_repairing import dvc, verify

__all__ = ["write_fetch"]

NUM_PHOTOS = 30
COMMANDS = {
    "resize": "python -m stages.resize --fetch interim/fetch --split interim/split --out interim/resize",
    "tfrecord": "python -m stages.tfrecord --resize interim/resize --split interim/split --out interim/tfrecord",
    "embed": "python -m stages.embed --tfrecord interim/tfrecord --out interim/embed",
}
DAMAGED = (
    "interim/resize/train-00001.tar",
    "interim/resize/digests.json",
    "interim/tfrecord/train-00000-of-*.tfrecord",
    "interim/tfrecord/train-00001-of-*.tfrecord.index",
    "interim/embed/val.npy",
)


def run_all(root: Path, stages: list[str]) -> None:
    """In a process of its own."""
    os.chdir(root)
    os.environ |= {"FIELDGUIDE_TRACKING": "off", "DVC_ROOT": str(root)}
    for stage in stages:
        message = run(stage, f"interim/{stage}")
        assert message is None, message


@pytest.fixture
def built(write_fetch: WriteFetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository where clean to embed have run, known to a DVC that has lost its cache; the current folder."""
    root = tmp_path / "root"
    columns = {"region": "north"}
    photos = [
        (encode(blotches(each, 60, 50)), {"label": f"Aster s{each % 2}", "observation_id": f"o{each}", **columns})
        for each in range(NUM_PHOTOS)
    ]
    write_digests(write_fetch(photos, root / "interim/fetch"), "fetch")
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params = {section: params[section] | CHANGES[section] for section in ("clean", "split", *COMMANDS)}
    for section in params.values():
        section |= {"engine": {"backend": "loky", "workers": 1}} if "engine" in section else {}
    (root / "params.yaml").write_text(json.dumps(params), encoding="utf-8")
    for name in ("stages", "fieldguide"):
        (root / name).symlink_to(ROOT / name)
    # TensorFlow and torch may not share a process.
    for stages in (["clean", "split", "resize"], ["tfrecord"], ["embed"]):
        run_isolated(run_all, root, stages)
    reads = {"resize": "interim/fetch", "tfrecord": "interim/resize", "embed": "interim/tfrecord"}
    pipeline = {
        stage: {"cmd": command, "params": [stage], "deps": [reads[stage]], "outs": [f"interim/{stage}"]}
        for stage, command in COMMANDS.items()
    }
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": pipeline}))
    monkeypatch.chdir(root)
    dvc("init", "--no-scm")
    dvc("commit", "-f")
    shutil.rmtree(".dvc/cache")
    return root


@pytest.mark.slow
def test_shards_are_made_again(built: Path, capsys: pytest.CaptureFixture[str]):
    # What a later run would do has no say.
    Path("params.yaml").write_text("{}")
    every = [path for path in Path("interim").rglob("*") if path.is_file()]
    before = {path: (file_md5(path), path.stat().st_ino) for path in every}
    names = sorted(str(path) for pattern in DAMAGED for path in Path().glob(pattern))
    assert len(names) == len(DAMAGED)
    for name in names:
        flip(Path(name), 8 * 700 if Path(name).stat().st_size > 700 else 8)
    verify("interim", "--repair", "--workers", "1")
    assert capsys.readouterr().out.splitlines() == names
    assert {path: file_md5(path) for path in every} == {path: md5 for path, (md5, _) in before.items()}
    replaced = {str(path) for path in every if path.stat().st_ino != before[path][1]}
    assert replaced == set(names)
    assert not list(Path(".cache").glob("repair-*"))


@pytest.mark.parametrize(
    ("stage", "name", "can"),
    [
        ("resize", "train-00000.tar", True),
        ("resize", "manifest.json", False),
        ("tfrecord", "val-00000-of-00001.tfrecord.index", True),
        ("tfrecord", "labels.parquet", False),
        ("embed", "val.ids.txt", True),
        ("train-teacher@global", "model.safetensors", False),
    ],
)
def test_what_can_be_made_by_itself(stage: str, name: str, can: bool):
    assert is_rebuildable(stage, name) is can


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (None, "dvc.lock does not know resize"),
        ("rm -r /; python -m stages.resize --out x", "expected python -m stages.resize"),
        ("python -m stages.clean --out x", "expected python -m stages.resize"),
    ],
)
def test_nothing_but_the_stage_itself_is_run(tmp_path: Path, command: str | None, message: str):
    if command:
        (tmp_path / "dvc.lock").write_text(yaml.safe_dump({"stages": {"resize": {"cmd": command}}}))
    with pytest.raises(FieldguideError, match=message), rebuilt("resize", ["train-00000.tar"], tmp_path):
        pass
