"""Weights that are there, missing, or others than meant, and those that only the hub has."""

from pathlib import Path

import pytest

from fieldguide.files import file_sha256
from fieldguide.preflight.setting import Setting
from fieldguide.preflight.weights import check_weights
from fieldguide.presets import expand, load_overlay, write_params
from tests.photo_server import serve_photos
from tests.preflight.conftest import OVERLAY, Write, problems

KEY = "train_teacher.global.weights"


def teach_from(weights: dict[str, object]) -> Setting:
    """A setting whose teacher starts from these."""
    write_params(expand({**OVERLAY, "train_teacher": {"global": {"weights": weights}}}), Path("params.yaml"))
    return Setting.read(Path("params.yaml"))


def from_file(path: str, sha256: str | None = None) -> Setting:
    return teach_from({"from": "file", "path": path, "sha256": sha256, "licence": None})


def test_a_file_is_the_one_that_is_meant(write: Write):
    write()
    Path("mine.pth").write_bytes(b"weights")
    digest = file_sha256(Path("mine.pth"))
    assert list(check_weights(from_file("mine.pth"))) == list(check_weights(from_file("mine.pth", digest))) == []
    assert problems(check_weights(from_file("mine.pth", "0" * 64))) == [
        f"{KEY}: mine.pth has sha256 {digest}; expected {'0' * 64}"
    ]
    assert problems(check_weights(from_file("nowhere/vit.pth"))) == [
        f"{KEY}: nowhere/vit.pth is missing; expected that file, or {{from: hub}} or {{from: scratch}}"
    ]


def test_a_preset_says_what_its_placeholders_are(write: Write):
    write()
    write_params(expand(load_overlay("real-photos")), Path("params.yaml"))
    found = problems(check_weights(Setting.read(Path("params.yaml"))))
    assert [text.partition(":")[0] for text in found] == [
        "embed.backbone.weights",
        "train_teacher.global.weights",
        "distill_student.weights",
    ]
    assert all("is missing; WEIGHTS stands for a folder of yours" in text for text in found)


def test_weights_that_a_teacher_does_not_start_from_need_not_be_there(write: Write):
    teachers = {"global": {}, "regional": {"init_from": "global"}}
    absent = {"from": "file", "path": "nowhere/vit.pth", "sha256": None, "licence": "MIT"}
    teachers["regional"]["weights"] = absent
    write_params(expand({**OVERLAY, "train_teacher": teachers}), Path("params.yaml"))
    assert list(check_weights(Setting.read(Path("params.yaml")))) == []


@pytest.fixture
def hub(write: Write, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A working directory whose hub's cache is empty."""
    write()
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HOME", "hub-home")
    return monkeypatch


def test_the_hub_is_asked_whether_it_is_there(hub: pytest.MonkeyPatch):
    setting = teach_from({"from": "hub", "licence": None})
    with serve_photos() as server:
        hub.setenv("HF_ENDPOINT", server.url("").removesuffix("/"))
        (finding,) = check_weights(setting)
        assert (finding.is_problem, finding.text) == (
            False,
            f"train_teacher.global: weights will come from {server.url('')[:-1]}",
        )
    (found,) = problems(check_weights(setting))
    assert found.startswith("train_teacher.global: weights from the hub, but http://127.0.0.1:")
    assert "cannot be reached; expected a network or files of weights" in found


def test_a_machine_that_is_offline_has_what_its_cache_holds(hub: pytest.MonkeyPatch):
    setting = teach_from({"from": "hub", "licence": None})
    hub.setenv("HF_HUB_OFFLINE", "1")
    assert len(problems(check_weights(setting))) == 1
    snapshot = Path("hub-home/hub/models--timm--test_vit.r160_in1k/snapshots/0123")
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").write_bytes(b"weights")
    assert [finding.text for finding in check_weights(setting)] == ["weights of the hub are on this machine already"]
