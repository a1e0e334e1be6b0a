"""Which classes `transforms` in params.yaml may name. Nothing here imports PyTorch.

Params may come from a stranger's fork, and Hydra's `instantiate` calls whatever it is told to: a package as limit let a
class through that runs shell commands. So the classes are listed one by one, each from PIL image to PIL image, and what
else Hydra and OmegaConf understand (`_partial_`, `_args_`, `${...}`) is refused.
"""

from collections.abc import Mapping
from typing import Any

TARGET = "_target_"

TORCHVISION = """
    AugMix AutoAugment CenterCrop ColorJitter Compose ElasticTransform GaussianBlur Grayscale JPEG Pad RandAugment
    RandomAdjustSharpness RandomAffine RandomApply RandomAutocontrast RandomChannelPermutation RandomChoice RandomCrop
    RandomEqualize RandomGrayscale RandomHorizontalFlip RandomInvert RandomOrder RandomPerspective
    RandomPhotometricDistort RandomPosterize RandomResizedCrop RandomRotation RandomSolarize RandomVerticalFlip
    RandomZoomOut Resize TrivialAugmentWide
"""
TIMM = "CenterCropOrPad RandomCropOrPad RandomPad RandomResizedCropAndInterpolation ResizeKeepRatio TrimBorder"

ALLOWED_CLASSES = frozenset(
    [
        "fieldguide.learn.transforms.RandomCrop",
        "fieldguide.learn.transforms.RandomErasing",
        *(f"torchvision.transforms.v2.{name}" for name in TORCHVISION.split()),
        *(f"timm.data.transforms.{name}" for name in TIMM.split()),
    ]
)


def check_transform(config: Any, where: str) -> None:
    """Raise ValueError unless `config` is one transform that may be made, and so are those inside it."""
    if not isinstance(config, Mapping) or TARGET not in config:
        raise ValueError(f"{where} has no {TARGET}; expected {{{TARGET}: package.Class, ...}}")
    _check(config, where)


def _check(value: Any, where: str) -> None:
    if isinstance(value, str) and "${" in value:
        raise ValueError(f"{where} holds {value!r}; expected no '${{': nothing is looked up or computed")
    if isinstance(value, Mapping):
        if TARGET in value and value[TARGET] not in ALLOWED_CLASSES:
            raise ValueError(
                f"{where}: {TARGET} {value[TARGET]!r} is not allowed; expected a class for photos of "
                "torchvision.transforms.v2, timm.data.transforms or fieldguide.learn.transforms "
                "(fieldguide/learn/augmentations.py lists them)"
            )
        for key, inner in value.items():
            if not isinstance(key, str) or (key.startswith("_") and key != TARGET):
                raise ValueError(f"{where} has the key {key!r}; expected arguments of the class")
            _check(key, where)
            _check(inner, where)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, where)
