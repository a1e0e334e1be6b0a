"""From a record's photo to the pixels a network is shown: decoding, a random part, the final size.

Crops, flips and resizing, with which most lists of augmentations begin and many end, are not done one after the other
on image objects. They are drawn first; then the part is cut out of the decoded array and resized once, by torch's
antialiased uint8 kernels, four times as fast as Pillow. What is drawn is what the listed classes draw. Pixels
differ from theirs on Pillow images by 1 or 2 of 255 in a few values of a hundred; by more, up to 11 in photographs, in
fewer than one of 10,000, where the overshoot at a hard edge is cut off between the two passes of a resizing.

Without augmentation it is Pillow's antialiased bicubic, bit for bit what the browser does.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import InterpolationMode, RandomResizedCrop, v2

from fieldguide.records.pixels import choose_scale, decode, read_size
from fieldguide.records.torch.part import Part, draw_crop

Transform = Callable[[Image.Image], Image.Image]

MODES: Final = {
    **dict.fromkeys((InterpolationMode.BILINEAR, Image.Resampling.BILINEAR, "bilinear"), "bilinear"),
    **dict.fromkeys((InterpolationMode.BICUBIC, Image.Resampling.BICUBIC, "bicubic"), "bicubic"),
}
"""torch's names of the interpolations that it antialiases, by the names that torchvision takes."""
KERNELS: Final[dict[str, Callable[..., Tensor]]] = {
    "bilinear": torch._C._nn._upsample_bilinear2d_aa,
    "bicubic": torch._C._nn._upsample_bicubic2d_aa,
}


class RandomCrop:
    """A random part of the photo, as it is: every network resizes it to its own input (Szegedy et al., 2015)."""

    def __init__(self, scale: tuple[float, float], ratio: tuple[float, float]) -> None:
        """`scale` bounds the share of the area, `ratio` the width divided by the height."""
        self.scale, self.ratio = list(scale), list(ratio)

    def __call__(self, image: Image.Image) -> Image.Image:
        """The part; draws from torch's generator."""
        top, left, height, width = RandomResizedCrop.get_params(image, self.scale, self.ratio)
        return image.crop((left, top, left + width, top + height))


class Augmentation:
    """Steps from PIL image to PIL image, applied in order.

    The longest beginning of flips and crops is drawn as one Part; the steps behind it get its pixels as PIL image.
    """

    def __init__(self, steps: Sequence[Transform]) -> None:
        self.steps = tuple(_flatten(steps))
        count = _count_geometric(self.steps)
        self._geometric, self._others = self.steps[:count], self.steps[count:]
        self.draws_from_torch_alone = all(type(step).__module__ in _TORCH_ALONE for step in _walk(self.steps))
        """Else Python's and NumPy's generators have to be seeded, too, which takes longer."""

    def __call__(self, image: Image.Image) -> Image.Image:
        """All steps one by one, as their classes do them."""
        for step in self.steps:
            image = step(image)
        return image

    @property
    def later_steps(self) -> list[Transform]:
        """What comes behind the Part, those inside others with them."""
        return list(_walk(self._others))

    @property
    def draws_ahead(self) -> bool:
        """Whether nothing is drawn any more once there is a Part: then `show` needs no generators."""
        return not self._others

    def draw(self, image: bytes) -> Part:
        """What the steps that a Part can stand for look at. Raises OSError where the photo is no image of a record."""
        part = Part(0, 0, *read_size(image))
        step: Any
        for step in self._geometric:
            if isinstance(step, (RandomCrop, v2.RandomResizedCrop)):
                part.narrow(*draw_crop(part.height, part.width, step.scale, step.ratio))
                part.resized = step if isinstance(step, v2.RandomResizedCrop) else part.resized
            elif isinstance(step, v2.RandomHorizontalFlip):
                part.mirrored ^= bool(torch.rand(1) < step.p)
            elif isinstance(step, v2.RandomVerticalFlip):
                part.upside_down ^= bool(torch.rand(1) < step.p)
        return part

    def sizes(self, part: Part, whole: tuple[int, int]) -> list[tuple[int, int]]:
        """To what heights and widths `show` resizes the part, one after the other, for an image of `whole`."""
        if part.resized is None:
            return [whole]
        height, width = part.resized.size
        return [(height, width), whole]

    def show(self, image: bytes, part: Part, out: Tensor) -> None:
        """The part of a record's photo, behind all other steps, into `out` uint8 [1, 3, side, side], channels last.

        Where not `draws_ahead`, the generators have to be as `draw` left them. Raises OSError where the photo cannot be
        decoded.
        """
        whole = (out.shape[2], out.shape[3])
        size, mode = whole, "bicubic"
        if part.resized is not None:
            height, width = part.resized.size
            size, mode = (height, width), MODES[part.resized.interpolation]
        # Steps that look at single pixels (blur, noise) are to find as many as ever.
        may_shrink = part.resized is not None or not self._others
        scale = choose_scale(part.height, part.width, max(size)) if may_shrink else 1
        pixels = part.take(decode(image, scale=scale), scale)
        if self._others:
            if part.resized is not None:
                pixels = resize(pixels, size, mode)
            shown = Image.fromarray(pixels[0].permute(1, 2, 0).numpy())
            for step in self._others:
                shown = step(shown)
            pixels = torch.from_numpy(np.array(shown.convert("RGB")))[None].permute(0, 3, 1, 2)
            mode = "bicubic"
        elif size != whole:
            pixels, mode = resize(pixels, size, mode), "bicubic"
        resize(pixels, whole, mode, out)


def resize(pixels: Tensor, size: tuple[int, int], mode: str = "bicubic", out: Tensor | None = None) -> Tensor:
    """Antialiased, by torch's uint8 kernels: uint8 [1, 3, height, width] in channels-last layout, `out` likewise."""
    if tuple(pixels.shape[2:]) == size:
        return pixels if out is None else out.copy_(pixels)
    # What `interpolate` calls, which has no `out`.
    return KERNELS[mode](pixels, size, False, None, None, out=out)


def show_whole(image: bytes, out: Tensor) -> None:
    """The whole photo as it is evaluated, into `out` uint8 [side, side, 3]. Raises OSError where it cannot be decoded.

    A photo of another size is resized by Pillow's antialiased bicubic.
    """
    target = out.numpy()
    pixels = decode(image, out=target)
    if pixels is target:
        return
    if pixels.shape != target.shape:
        resized = Image.fromarray(pixels).resize(target.shape[1::-1], Image.Resampling.BICUBIC)
        pixels = np.asarray(resized)
    target[:] = pixels


_TORCH_ALONE: Final = {
    __name__,
    f"{__package__}.erasing",
    *(f"torchvision.transforms.v2.{name}" for name in ("_augment", "_auto_augment", "_color", "_container", "_misc")),
    *(f"torchvision.transforms.v2.{name}" for name in ("_geometry", "_meta", "_temporal", "_type_conversion")),
}
"""Modules whose classes draw from nothing but torch's generator."""


def _flatten(steps: Iterable[Transform]) -> Iterable[Transform]:
    for step in steps:
        if isinstance(step, v2.Compose):
            yield from _flatten(step.transforms)
        elif isinstance(step, Augmentation):
            yield from step.steps
        else:
            yield step


def _walk(steps: Iterable[Any]) -> Iterable[Any]:
    """The steps and those inside them."""
    for step in steps:
        yield step
        yield from _walk(getattr(step, "transforms", ()))


def _count_geometric(steps: Sequence[Transform]) -> int:
    """How many steps at the beginning a Part can stand for: flips and crops, up to a crop behind one that resizes."""
    is_resized = False
    step: Any
    for count, step in enumerate(steps):
        is_crop = type(step) in (RandomCrop, v2.RandomResizedCrop)
        if type(step) not in (v2.RandomHorizontalFlip, v2.RandomVerticalFlip) and (not is_crop or is_resized):
            return count
        if isinstance(step, v2.RandomResizedCrop):
            if step.interpolation not in MODES or not step.antialias:
                return count
            is_resized = True
    return len(steps)
