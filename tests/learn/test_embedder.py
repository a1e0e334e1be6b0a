"""What a frozen network gives: prelogits or logits, of any architecture, in the precision that was asked for."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from fieldguide.errors import TrainingError
from fieldguide.learn.device import prepared_device
from fieldguide.learn.embedder import Embedder, build_embedder, measure_dim
from fieldguide.learn.network import extract_prelogits
from fieldguide.learn.params import BackboneParams, Precision
from fieldguide.learn.predict import call
from tests.learn.making import backbone_section


def params(**changes: Any) -> BackboneParams:
    return BackboneParams.model_validate(backbone_section(architecture_args={}, **changes))


def write_weights(path: Path, num_outputs: int) -> dict[str, Any]:
    """A weights file with a classifier of its own number of outputs, as `weights` in params.yaml."""
    import timm

    torch.manual_seed(3)
    save_file(timm.create_model("mobilenetv2_035", num_classes=num_outputs).state_dict(), path)
    return {"from": "file", "path": str(path), "sha256": None, "licence": None}


@pytest.mark.parametrize(
    ("architecture", "outputs", "dim"),
    [
        ("test_vit", "prelogits", 64),
        ("test_vit", "logits", 1000),
        # Two classifiers, and a convolution as classifier.
        ("deit_tiny_distilled_patch16_224", "prelogits", 192),
        ("resnetv2_18", "prelogits", 512),
    ],
)
def test_any_architecture_gives_a_vector(architecture: str, outputs: Any, dim: int):
    size = 224 if architecture.startswith("deit") else 160
    backbone = params(architecture=architecture, image_size=size)
    assert measure_dim(build_embedder(backbone, outputs, seed=1), size) == dim


def test_a_pretrained_network_without_a_classifier_has_prelogits_only():
    backbone = params(architecture="vit_small_patch14_dinov2", image_size=518)
    with pytest.raises(TrainingError, match="comes without a classifier; expected prelogits"):
        build_embedder(backbone, "logits", seed=1)


def test_logits_are_those_of_the_classifier_in_the_weights(tmp_path: Path):
    backbone = params(weights=write_weights(tmp_path / "w.safetensors", 1001))
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        embedder = build_embedder(backbone, "logits", seed=1)
        logits, again = embedder(images), build_embedder(backbone, "logits", seed=2)(images)
        prelogits = build_embedder(backbone, "prelogits", seed=1)(images)
        assert logits.shape == (2, 1001)
        torch.testing.assert_close(logits, again)
        torch.testing.assert_close(prelogits, extract_prelogits(embedder.backbone, images))


def test_weights_without_a_classifier_have_no_logits(tmp_path: Path):
    weights = write_weights(tmp_path / "w.safetensors", 0)
    with pytest.raises(TrainingError, match=r"w\.safetensors has no classifier classifier; expected one"):
        build_embedder(params(weights=weights), "logits", seed=1)


@pytest.mark.parametrize("outputs", ["prelogits", "logits"])
@pytest.mark.parametrize(("precision", "expected"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)])
def test_the_precision_is_what_runs(outputs: Any, precision: Precision, expected: torch.dtype):
    embedder = build_embedder(params(architecture="test_vit", image_size=160), outputs, seed=1)
    seen = record_dtypes(embedder)
    with prepared_device(precision, 0) as fabric, torch.inference_mode():
        module = fabric.setup_module(embedder)
        assert call(module, torch.rand(1, 3, 160, 160, device=fabric.device)).float().isfinite().all()
    assert set(seen) == {expected}


def record_dtypes(embedder: Embedder) -> list[torch.dtype]:
    """What every linear layer of the backbone gives from now on, where the computing is done."""
    seen: list[torch.dtype] = []
    for layer in embedder.backbone.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.register_forward_hook(lambda _layer, _inputs, output: seen.append(output.dtype))
    return seen
