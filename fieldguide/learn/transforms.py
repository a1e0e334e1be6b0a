"""From a record's JPEG to a network's input, and the augmentations that params.yaml lists.

Resizing is Pillow's antialiased bicubic everywhere, as in the resize stage and in the browser.
"""

import inspect
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from hydra.errors import HydraException
from hydra.utils import get_object, instantiate
from PIL import Image
from torch import Tensor
from torchvision.transforms import RandomResizedCrop

from fieldguide.errors import ParamsError

ALLOWED_PACKAGES = ("torchvision.transforms", "timm.data", "fieldguide")

Transform = Callable[[Image.Image], Image.Image]


def decode(jpeg: bytes) -> Image.Image:
    """A record's photo as an RGB image."""
    return Image.open(io.BytesIO(jpeg), formats=["JPEG"]).convert("RGB")


def to_input(image: Image.Image, image_size: int, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """A square image as a network's input: float32 [3, image_size, image_size], normalised."""
    if image.size != (image_size, image_size):
        image = image.resize((image_size, image_size), Image.Resampling.BICUBIC)
    pixels = np.asarray(image, np.float32) / np.float32(255)
    normalised = (pixels - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return torch.from_numpy(np.ascontiguousarray(normalised.transpose(2, 0, 1)))


class RandomCrop:
    """A random part of the photo, as it is: every network resizes it to its own input (Szegedy et al., 2015)."""

    def __init__(self, scale: tuple[float, float], ratio: tuple[float, float]) -> None:
        """`scale` bounds the share of the area, `ratio` the width divided by the height."""
        self.scale, self.ratio = list(scale), list(ratio)

    def __call__(self, image: Image.Image) -> Image.Image:
        """The part; draws from torch's generator."""
        top, left, height, width = RandomResizedCrop.get_params(image, self.scale, self.ratio)
        return image.crop((left, top, left + width, top + height))


def build_transforms(listed: Sequence[Mapping[str, Any]]) -> Transform:
    """One function from image to image out of `[{_target_: package.Class, ...}, ...]`, applied in order.

    Raises ParamsError for a target outside ALLOWED_PACKAGES (params may be a stranger's) or one that cannot be made.
    """
    steps = []
    for number, config in enumerate(listed):
        where = f"transforms[{number}]"
        _check_targets(config, where)
        try:
            steps.append(instantiate(dict(config)))
        except HydraException as error:
            raise ParamsError(f"{where}: {' '.join(str(error).split())}") from None

    def apply(image: Image.Image) -> Image.Image:
        for step in steps:
            image = step(image)
        if not isinstance(image, Image.Image):
            raise ParamsError(f"transforms give a {type(image).__name__}; expected steps from PIL image to PIL image")
        return image

    return apply


def _check_targets(config: Any, where: str, *, is_step: bool = True) -> None:
    if isinstance(config, Mapping):
        target = config.get("_target_")
        if target is None and is_step:
            raise ParamsError(f"{where} has no _target_; expected {{_target_: package.Class, ...}}")
        if target is not None:
            _check_target(target, where)
        children = list(config.values())
    else:
        children = list(config) if isinstance(config, (list, tuple)) else []
    for child in children:
        _check_targets(child, where, is_step=False)


def _check_target(target: Any, where: str) -> None:
    allowed = ", ".join(ALLOWED_PACKAGES)
    if not isinstance(target, str) or not _is_inside(target):
        raise ParamsError(f"{where}: _target_ {target!r} is outside the allowed packages: {allowed}")
    try:
        found = get_object(target)
    except (HydraException, ImportError, ValueError, AttributeError) as error:
        raise ParamsError(f"{where}: _target_ {target!r} cannot be found: {str(error).splitlines()[0]}") from None
    # A dotted path walks through attributes, so `timm.data.dataset.os.system` begins well and ends elsewhere.
    if not inspect.isclass(found) or not _is_inside(f"{found.__module__}."):
        raise ParamsError(f"{where}: _target_ {target!r} is not a class of an allowed package: {allowed}")


def _is_inside(dotted: str) -> bool:
    return dotted.startswith(tuple(f"{package}." for package in ALLOWED_PACKAGES))
