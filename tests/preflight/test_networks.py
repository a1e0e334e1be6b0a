"""Networks that later stages could not build, feed, augment or export."""

from pathlib import Path

import pytest
import timm

from fieldguide.learn.network import save_weights
from fieldguide.preflight import networks
from fieldguide.preflight.building import try_networks
from fieldguide.preflight.networks import check_networks
from fieldguide.preflight.setting import Setting
from fieldguide.presets import expand, write_params
from tests.preflight.conftest import OVERLAY, Write, problems


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"architecture": "mobilenetv9"}, "architecture 'mobilenetv9' is unknown to timm; close names: mobilenetv"),
        ({"architecture_args": {"depth": "x"}}, "architecture test_vit cannot be built with {'depth': 'x'}"),
        ({"image_size": 100}, "test_vit does not take images of 100 px"),
        ({"optimizer": "adamv"}, "optimizer 'adamv' cannot be made"),
        (
            {"transforms": [{"_target_": "torchvision.transforms.v2.RandomRotation", "degrees": -1}]},
            "transforms[0]: Error in call to target",
        ),
        (
            {"weights": {"from": "file", "path": "other.safetensors", "sha256": None, "licence": None}},
            "weights file other.safetensors does",
        ),
    ],
)
def test_a_network_that_cannot_be_trained_is_told(write: Write, values: dict[str, object], problem: str):
    write()
    save_weights(timm.create_model("test_resnet"), Path("other.safetensors"))
    write_params(expand({**OVERLAY, "train_teacher": {"global": values}}), Path("params.yaml"))
    teacher = {f"train_teacher.{name}": each for name, each in Setting.read(Path("params.yaml")).teachers.items()}
    (found,) = try_networks(teacher, 112, Path("student.onnx"))
    assert found.startswith(f"train_teacher.global: {problem}")


@pytest.mark.slow
def test_what_was_found_good_is_not_tried_again(write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(networks, "REMEMBERED", Path("checks"))
    texts = [
        [finding.text for finding in check_networks(write(*overrides))]
        for overrides in ([], [], ["train_teacher.global.epochs=3"])
    ]
    assert texts == [
        ["3 networks can be built and fed, the student exported"],
        ["3 networks, found good before"],
        ["3 networks, found good before"],
    ]


@pytest.mark.slow
def test_a_student_that_no_browser_runs_is_told(write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(networks, "REMEMBERED", Path("checks"))
    bent = {"architecture": "mobilenetv2_035", "architecture_args": {"act_layer": "elu"}}
    student = {**OVERLAY["distill_student"], **bent}
    write_params(expand({**OVERLAY, "distill_student": student}), Path("params.yaml"))
    (found,) = problems(check_networks(Setting.read(Path("params.yaml"))))
    assert found.startswith("distill_student cannot be exported: no conversion for Elu; the student may use Add, ")
    assert not Path("checks").exists()
