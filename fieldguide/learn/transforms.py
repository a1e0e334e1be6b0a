"""From a record's image to a network's input, and the augmentations that params.yaml lists.

Resizing is Pillow's antialiased bicubic everywhere, as in the resize stage and in the browser.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from hydra.errors import HydraException
from hydra.utils import instantiate
from PIL import Image
from torch import Tensor
from torchvision.transforms import RandomResizedCrop

from fieldguide.errors import ParamsError
from fieldguide.images.encode import DECODERS
from fieldguide.learn.augmentations import check_transform

Transform = Callable[[Image.Image], Image.Image]


def decode(content: bytes) -> Image.Image:
    """A record's photo as an RGB image."""
    return Image.open(io.BytesIO(content), formats=DECODERS).convert("RGB")


def to_grey(image: Image.Image) -> Image.Image:
    """The luma of an RGB image (ITU-R BT.601) in all three channels."""
    return image.convert("L").convert("RGB")


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

    Raises ParamsError for a class that may not be made (params may be a stranger's) or that its arguments do not fit.
    """
    steps = []
    for number, config in enumerate(listed):
        where = f"transforms[{number}]"
        try:
            check_transform(config, where)
            steps.append(instantiate(dict(config)))
        except HydraException as error:
            raise ParamsError(f"{where}: {' '.join(str(error).split())}") from None
        except ValueError as error:
            raise ParamsError(str(error)) from None

    def apply(image: Image.Image) -> Image.Image:
        for step in steps:
            image = step(image)
        return image

    return apply
