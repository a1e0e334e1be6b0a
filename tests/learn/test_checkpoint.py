"""A checkpoint is taken up by the run that wrote it and by no other."""

import logging
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from fieldguide.learn.checkpoint import Checkpoints, digest_code, make_fingerprint

FABRIC = Fabric(accelerator="cpu", devices=1)


def test_state_comes_back_as_it_was(tmp_path: Path):
    checkpoints = Checkpoints(tmp_path / "resume.ckpt", {"params": "a"}, FABRIC)
    assert checkpoints.load() is None
    module = torch.nn.Linear(3, 2)
    checkpoints.save({"module": module, "epoch": 3, "step": 7, "history": [{"lr": 0.1}], "best": (0.5, -1.0)})
    state = checkpoints.load()
    assert state is not None
    assert torch.equal(state["module"]["weight"], module.weight)
    assert (state["epoch"], state["step"], state["history"], state["best"]) == (3, 7, [{"lr": 0.1}], (0.5, -1.0))
    checkpoints.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("now", "changed"),
    [({"params": "b", "code": "x"}, "params"), ({"params": "a", "code": "y"}, "code"), ({"params": "a"}, "code")],
)
def test_a_stale_checkpoint_is_ignored_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, now: dict[str, str], changed: str
):
    caplog.set_level(logging.INFO)
    path = tmp_path / "resume.ckpt"
    Checkpoints(path, {"params": "a", "code": "x"}, FABRIC).save({"epoch": 1, "step": 0})
    assert Checkpoints(path, now, FABRIC).load() is None
    assert caplog.messages == [f"{path} is of another run and is ignored; changed: {changed}"]


def test_fingerprint_follows_every_input(tfrecord: Path, tmp_path: Path):
    other = tmp_path / "teacher.json"
    other.write_text("one")
    before = make_fingerprint({"lr": 1}, tfrecord, other)
    assert make_fingerprint({"lr": 1}, tfrecord, other) == before
    other.write_text("two")
    after = make_fingerprint({"lr": 2}, tfrecord, other)
    assert {name for name in before if before[name] != after[name]} == {"params", str(other)}
    assert before["code"] == digest_code()
