"""Small networks and parameters for the flora of tests/records/making.py."""

from typing import Any

import torch

from fieldguide.learn.network import Network, build_network
from fieldguide.learn.params import BackboneParams
from tests.records.making import TAXONOMY

TRANSFORMS = [
    {"_target_": "torchvision.transforms.v2.RandomHorizontalFlip", "p": 0.5},
    {"_target_": "torchvision.transforms.v2.RandomResizedCrop", "size": 32, "scale": [0.5, 1.0], "interpolation": 3},
]

EVERYTHING = {
    "accumulate": 4,
    "mixup": {"alpha": 0.4, "probability": 0.5},
    "cutmix": {"alpha": 1.0, "probability": 0.3},
    "drop_path": 0.1,
    "unfreeze": {"start": 1, "duration": 1, "final_fraction": 0.5},
    "loss": {"species": {"kind": "logit_adjusted", "tau": 1.0}, "genus": {"kind": "class_balanced", "beta": 0.9}},
    "rebalance": {"species": "tau_norm", "genus": "logit_adjustment"},
    "transforms": [*TRANSFORMS, {"_target_": "fieldguide.learn.transforms.RandomErasing", "p": 0.5}],
}
"""All that draws, or that works differently from step to step."""


def backbone_section(**changes: Any) -> dict[str, Any]:
    """A small convolutional backbone as params.yaml would hold it."""
    return {
        "architecture": "mobilenetv2_035",
        "architecture_args": {"drop_rate": 0.1},
        "image_size": 32,
        "mean": [0.5, 0.4, 0.3],
        "std": [0.5, 0.25, 0.2],
        "mask_padding": False,
        "weights": {"from": "scratch"},
        **changes,
    }


def embed_section(**changes: Any) -> dict[str, Any]:
    """An `embed` section as params.yaml would hold it."""
    return {
        "backbone": backbone_section(),
        "outputs": "prelogits",
        "batch_size": 16,
        "precision": "auto",
        "devices": 1,
        "workers": 0,
        "review": {"max_photos": 100, "folds": 3, "map_photos": 20, "truth": None},
        "seed": 17,
        "grey": False,
        "fuse": "none",
        **changes,
    }


def training_section(**changes: Any) -> dict[str, Any]:
    """What teachers and students have in common, as params.yaml would hold it."""
    return {
        **backbone_section(),
        "head_init": "none",
        "transforms": TRANSFORMS,
        "epochs": 3,
        "batch_size": 8,
        "accumulate": 1,
        "mixup": None,
        "cutmix": None,
        "drop_path": 0.0,
        "unfreeze": None,
        "optimizer": "adamw",
        "learning_rate": 3e-3,
        "min_learning_rate": 1e-5,
        "warmup_epochs": 1,
        "weight_decay": 0.05,
        "layer_decay": None,
        "clip_norm": 1.0,
        "ema_decay": 0.8,
        "label_smoothing": 0.1,
        "rank_weights": {"species": 1.0, "genus": 0.5},
        "loss": {},
        "rebalance": {},
        "balance_fraction": 0.5,
        "monitor": "val_top1",
        "patience": None,
        "train_set": "all",
        "max_samples": None,
        "precision": "auto",
        "compile": False,
        "checkpoint_steps": 2,
        "resume": "exact",
        "devices": 1,
        "workers": 0,
        "seed": 17,
        **changes,
    }


def teacher_section(**changes: Any) -> dict[str, Any]:
    """A `train_teacher` entry."""
    own = {"region": None, "init_from": None, "min_samples": {}}
    return training_section(**{**own, "input": "records", "max_failure_rate": 0.01, **changes})


def student_section(**changes: Any) -> dict[str, Any]:
    """A `distill_student` section with one teacher called `global`."""
    soft = {"temperature": 3.0, "soft_weight": 0.7, "hard_weight": 0.3, "teachers": {"global": 1.0}, "views": 2}
    options = {
        "feature_weight": 0.0,
        "standardize": False,
        "decoupled": None,
        "mix": None,
        "cache": {"kind": "prelogits", "k": 3},
        "cache_gb": 1.0,
        "compare_hard": False,
        "image_sizes": [],
    }
    return training_section(**{**soft, **options, **changes})


def make_network(seed: int = 5, region: str | None = None, **changes: Any) -> Network:
    """An untrained network for all classes of the flora."""
    backbone = BackboneParams.model_validate(backbone_section(**changes))
    return build_network(backbone, ranks=TAXONOMY.ranks, classes=TAXONOMY.classes, region=region, seed=seed)


def largest_difference(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> float:
    """max |left - right| over all tensors of two state dicts with the same keys."""
    assert left.keys() == right.keys()
    return max(float((left[key].double() - right[key].double()).abs().max()) for key in left)
