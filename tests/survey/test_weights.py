"""Weights files, and the networks that they fit."""

from dataclasses import replace
from pathlib import Path

import pytest
import timm

from fieldguide.errors import ParamsError, TrainingError
from fieldguide.files import file_sha256
from fieldguide.learn.network import save_weights
from fieldguide.survey.fitting import architecture_of, fit, look_at_files
from fieldguide.survey.weights import look_at_learning


@pytest.mark.parametrize(
    ("stem", "architecture"),
    [
        ("test_vit", "test_vit"),
        ("test_vit2", "test_vit2"),
        ("test_vit_of_mine", "test_vit"),
        ("test_vit.r160_in1k", "test_vit"),
        ("test_vit23", None),
        ("my_test_vit", None),
    ],
)
def test_a_file_is_called_after_its_architecture(stem: str, architecture: str | None):
    assert architecture_of(stem, ["test_vit", "test_vit2", "resnet18"]) == architecture


def test_a_file_is_tried_in_the_network_of_its_name(tmp_path: Path):
    file = tmp_path / "test_vit.mine.safetensors"
    save_weights(timm.create_model("test_vit", num_classes=7), file)
    found = fit(file)
    assert (found.path, found.sha256, found.architecture) == (file, file_sha256(file), "test_vit")
    assert (found.image_size, found.architecture_args) == (160, {})
    save_weights(timm.create_model("test_resnet", num_classes=7), file)
    with pytest.raises(TrainingError, match=r"test_vit\.mine\.safetensors does not fit VisionTransformer"):
        fit(file)
    unknown = file.rename(tmp_path / "unknown.safetensors")
    with pytest.raises(TrainingError, match=r"unknown\.safetensors: its name begins with no architecture of timm"):
        fit(unknown)
    good = tmp_path / "test_resnet.safetensors"
    unknown.rename(good)
    (tmp_path / "test_vit.pth").write_bytes(b"no weights")
    learning = look_at_files([good, tmp_path / "test_vit.pth"])
    assert [each.path for each in learning.pretrained] == [good]
    assert [text.partition(" is not ")[0] for text in learning.misfits] == [f"weights file {tmp_path / 'test_vit.pth'}"]


def test_weights_of_tensorflow_want_its_padding(tmp_path: Path):
    file = tmp_path / "mobilenetv2_100_tf2.safetensors"
    save_weights(timm.create_model("mobilenetv2_100", num_classes=2), file)
    found = fit(file)
    assert (found.architecture_args, found.mean) == ({"pad_type": "same"}, (0.5, 0.5, 0.5))
    plain = fit(file.rename(tmp_path / "mobilenetv2_100.safetensors"))
    assert plain == replace(
        found, path=plain.path, architecture_args={}, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
    )


def test_a_folder_without_weights_is_refused(tmp_path: Path):
    with pytest.raises(ParamsError, match="nowhere is not a folder"):
        look_at_learning(tmp_path / "nowhere")
    with pytest.raises(ParamsError, match=r"holds no weights; expected files that end in \.safetensors"):
        look_at_learning(tmp_path)
