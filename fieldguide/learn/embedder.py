"""Frozen networks of any architecture that timm knows, and what of them is kept: prelogits or logits."""

from typing import Any

import torch
from timm.models import get_pretrained_cfg
from torch import Tensor, nn

from fieldguide.errors import TrainingError
from fieldguide.learn.network import classifiers_of, create_module, extract_prelogits
from fieldguide.learn.params import BackboneParams, FileWeights, HubWeights, Outputs
from fieldguide.learn.weights import count_outputs, read_state_dict


class Embedder(nn.Module):
    """A network whose `forward` gives what is kept, so that Fabric's precision acts on all of it."""

    def __init__(self, backbone: nn.Module, outputs: Outputs) -> None:
        super().__init__()
        self.backbone = backbone
        self.outputs = outputs

    def forward(self, images: Tensor) -> Tensor:
        """Features [batch, dim] of images float32 [batch, 3, S, S]."""
        if self.outputs == "prelogits":
            return extract_prelogits(self.backbone, images).flatten(1)
        logits: Tensor = self.backbone(images)
        return logits


def build_embedder(backbone: BackboneParams, outputs: Outputs, seed: int) -> Embedder:
    """The network in evaluation mode. Raises TrainingError where it cannot be built, or has no classifier to ask."""
    if outputs == "prelogits":
        # Its one output goes unused; without any, some architectures leave layers of their head out.
        module = create_module(backbone, 1, seed)
    else:
        cfg = _describe(backbone)
        num_outputs = _count_outputs(backbone, cfg)
        # timm drops the weights of a background class, unless told that it counts.
        whole = {"pretrained_cfg_overlay": {"num_classes": num_outputs, "label_offset": 0}} if _is_hub(backbone) else {}
        module = create_module(backbone, num_outputs, seed, **whole)
    return Embedder(module, outputs).eval()


def measure_dim(embedder: Embedder, image_size: int) -> int:
    """The number of features of a photo. Raises TrainingError where they are no vector."""
    with torch.inference_mode():
        features = embedder(torch.zeros(1, 3, image_size, image_size))
    if features.ndim != 2:
        raise TrainingError(
            f"{type(embedder.backbone).__name__} gives {embedder.outputs} of shape {list(features.shape[1:])}; "
            "expected one vector a photo, choose another architecture or global_pool in architecture_args"
        )
    return features.shape[1]


def _describe(backbone: BackboneParams) -> dict[str, Any]:
    cfg = get_pretrained_cfg(backbone.architecture)
    return cfg.to_dict(remove_null=True) if cfg else {}


def _count_outputs(backbone: BackboneParams, cfg: dict[str, Any]) -> int:
    """Those of the classifier in the weights' file, else those that timm names for the architecture."""
    if isinstance(backbone.weights, FileWeights):
        path, names = backbone.weights.path, classifiers_of(cfg)
        in_file = count_outputs(read_state_dict(path), names)
        if in_file is not None:
            return in_file
        raise TrainingError(
            f"embed.outputs is logits, but weights file {path} has no classifier {' or '.join(names) or '(unnamed)'}; "
            "expected one, or outputs: prelogits"
        )
    num_outputs: int = cfg.get("num_classes", 0) + (cfg.get("label_offset") or 0)
    if not num_outputs:
        raise TrainingError(
            f"embed.outputs is logits, but {backbone.architecture} comes without a classifier; expected prelogits"
        )
    return num_outputs


def _is_hub(backbone: BackboneParams) -> bool:
    return isinstance(backbone.weights, HubWeights)
