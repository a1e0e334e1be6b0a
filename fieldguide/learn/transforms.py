"""The augmentations that params.yaml lists, made from their names."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.errors import HydraException
from hydra.utils import instantiate
from PIL import Image

from fieldguide.errors import ParamsError
from fieldguide.learn.augmentations import check_transform
from fieldguide.records.torch.augmentation import Augmentation, RandomCrop, Transform
from fieldguide.records.torch.erasing import RandomErasing

__all__ = ["Augmentation", "RandomCrop", "RandomErasing", "Transform", "build_transforms", "to_grey"]


def to_grey(image: Image.Image) -> Image.Image:
    """The luma of an RGB image (ITU-R BT.601) in all three channels."""
    return image.convert("L").convert("RGB")


def build_transforms(listed: Sequence[Mapping[str, Any]]) -> Augmentation:
    """The augmentation that does `[{_target_: package.Class, ...}, ...]` in order.

    Raises ParamsError for a class that may not be made (params may be a stranger's) or that its arguments do not fit.
    """
    steps: list[Transform] = []
    for number, config in enumerate(listed):
        where = f"transforms[{number}]"
        try:
            check_transform(config, where)
            steps.append(instantiate(dict(config)))
        except HydraException as error:
            raise ParamsError(f"{where}: {' '.join(str(error).split())}") from None
        except ValueError as error:
            raise ParamsError(str(error)) from None
    return Augmentation(steps)
