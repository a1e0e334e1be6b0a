"""Image towers of open_clip in timm's architectures: the features are the same, and any grid fits."""

from pathlib import Path
from typing import Any

import open_clip
import pytest
import timm
import torch
from open_clip.transformer import VisionTransformer
from safetensors.torch import save_file

from fieldguide.errors import TrainingError
from fieldguide.learn.embedder import build_embedder
from fieldguide.learn.network import classifier_of, extract_prelogits
from fieldguide.learn.params import BackboneParams
from tests.learn.making import backbone_section, make_network

TRUE = {"layers": 12, "width": 768, "heads": 12, "embed_dim": 512}
SMALL = {"layers": 2, "width": 64, "heads": 1, "embed_dim": 24}
SMALL_ARGS = {"depth": 2, "embed_dim": 64, "num_heads": 1}


def make_tower(layers: int, width: int, heads: int, embed_dim: int) -> VisionTransformer:
    """An untrained image tower of patches of 32 px; the class token's and all other parameters are random."""
    torch.manual_seed(0)
    tower = VisionTransformer(224, 32, width, layers, heads, mlp_ratio=4.0, output_dim=embed_dim).eval()
    with torch.no_grad():
        for parameter in tower.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    return tower


def write(tower: VisionTransformer, path: Path) -> dict[str, Any]:
    """The `weights` of a file that holds the tower, and of a text tower a part."""
    state = {f"visual.{key}": value for key, value in tower.state_dict().items()}
    state |= {"logit_scale": torch.tensor(2.0), "token_embedding.weight": torch.zeros(3, 4)}
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return {"from": "file", "path": str(path), "sha256": None, "licence": "MIT"}


def backbone(weights: dict[str, Any], **changes: Any) -> BackboneParams:
    small = {"architecture": "vit_base_patch32_clip_224", "architecture_args": SMALL_ARGS, "image_size": 224}
    return BackboneParams.model_validate(backbone_section(**(small | changes), weights=weights))


@pytest.mark.parametrize(
    ("sizes", "args", "name"),
    [
        (SMALL, SMALL_ARGS, "open_clip_model.safetensors"),
        pytest.param(TRUE, {}, "open_clip_pytorch_model.bin", marks=pytest.mark.slow),
    ],
)
def test_features_are_those_of_open_clip(tmp_path: Path, sizes: dict[str, int], args: dict[str, int], name: str):
    tower = make_tower(**sizes)
    weights = write(tower, tmp_path / name)
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    found = {}
    with torch.inference_mode():
        projected = tower(images)
        tower.proj = None
        pooled = tower(images)
        for outputs in ("prelogits", "logits"):
            found[outputs] = build_embedder(backbone(weights, architecture_args=args), outputs, seed=0)(images)
    assert float((found["prelogits"] - pooled).abs().max()) < 1e-4
    assert float((found["logits"] - projected).abs().max()) < 1e-4


def test_a_teacher_leaves_the_projection_out_and_learns_all_the_rest(tmp_path: Path):
    tower = make_tower(**SMALL)
    section = backbone(write(tower, tmp_path / "clip.pth")).model_dump(mode="json")
    network = make_network(**section)
    assert classifier_of(network.module).weight.shape == (8, 64)
    images = torch.randn(2, 3, 224, 224)
    tower.proj = None
    with torch.inference_mode():
        assert float((extract_prelogits(network.module.eval(), images) - tower(images)).abs().max()) < 1e-4
    assert all(parameter.requires_grad for parameter in network.module.parameters())


def test_positions_are_resampled_to_another_grid(tmp_path: Path):
    tower = make_tower(**SMALL)
    weights = write(tower, tmp_path / "clip.safetensors")
    args = SMALL_ARGS | {"img_size": 96}
    embedder = build_embedder(backbone(weights, architecture_args=args, image_size=96), "prelogits", seed=0)
    positions = embedder.backbone.state_dict()["pos_embed"]
    assert positions.shape == (1, 1 + 9, 64)
    assert torch.equal(positions[0, 0], tower.positional_embedding[0])


def test_bioclip_2_has_the_shapes_of_timms_architecture():
    # On the meta device tensors have shapes and no contents: nothing is drawn or computed.
    with torch.device("meta"):
        model = open_clip.CLIP(**open_clip.get_model_config("ViT-L-14"))
        network = timm.create_model("vit_large_patch14_clip_224", num_classes=768)
    tower = {key: value for key, value in model.state_dict().items() if key.startswith("visual.")}
    converted = timm.models.vision_transformer.checkpoint_filter_fn(tower, network)
    shapes, own = (
        {key: tuple(value.shape) for key, value in state.items()} for state in (converted, network.state_dict())
    )
    assert shapes == own


def test_another_architecture_is_refused_on_one_line(tmp_path: Path):
    weights = write(make_tower(**SMALL), tmp_path / "clip.pth")
    with pytest.raises(
        TrainingError, match=r"clip\.pth .*image tower of open_clip.*expected its architecture, as vit_"
    ):
        make_network(weights=weights)
    with pytest.raises(TrainingError, match=r"clip\.pth does not fit VisionTransformer: .* of another shape"):
        build_embedder(backbone(weights, architecture_args=SMALL_ARGS | {"embed_dim": 128}), "prelogits", seed=0)
