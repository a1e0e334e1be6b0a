"""The part of a photo that crops and flips leave: drawn as numbers, taken out of the decoded array in one copy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2

from fieldguide.records.pixels import Pixels


@dataclass(slots=True)
class Part:
    """The part of a photo that is looked at, and how it is turned."""

    top: int
    left: int
    height: int
    width: int
    mirrored: bool = False
    upside_down: bool = False
    resized: v2.RandomResizedCrop | None = None
    """The step that gives it its size; None: it keeps its own."""

    def narrow(self, top: int, left: int, height: int, width: int) -> None:
        """Look at this part of the part, counted as it stands now."""
        self.top += self.height - top - height if self.upside_down else top
        self.left += self.width - left - width if self.mirrored else left
        self.height, self.width = height, width

    def take(self, pixels: Pixels, scale: int) -> Tensor:
        """The part of a photo decoded at 1 / `scale`: uint8 [1, 3, height, width], channels last."""
        bottom, right = round((self.top + self.height) / scale), round((self.left + self.width) / scale)
        part = pixels[round(self.top / scale) : bottom, round(self.left / scale) : right]
        turned = [axis for axis, is_turned in ((0, self.upside_down), (1, self.mirrored)) if is_turned]
        # Both copy: the kernels want the part without gaps. NumPy is the faster to copy, torch the faster to turn.
        taken = torch.from_numpy(part).flip(turned) if turned else torch.from_numpy(np.ascontiguousarray(part))
        return taken[None].permute(0, 3, 1, 2)


def draw_crop(height: int, width: int, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
    """Top, left, height and width, px, of a random crop, number for number as torchvision's RandomResizedCrop draws it.

    `scale` bounds the share of the area, `ratio` the width divided by the height (Szegedy et al., 2015). It takes a
    third of torchvision's time, which makes many small tensors.
    """
    lowest, highest = _log_bounds(*ratio)
    real, whole = torch.empty(1), torch.empty(1, dtype=torch.int64)
    for _ in range(10):
        area = height * width * real.uniform_(*scale).item()
        aspect = real.uniform_(lowest, highest).exp_().item()
        columns, rows = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < columns <= width and 0 < rows <= height:
            top = int(whole.random_(0, height - rows + 1).item())
            return top, int(whole.random_(0, width - columns + 1).item()), rows, columns
    # None fitted: as much of the middle as the bounds of `ratio` allow.
    aspect = min(max(width / height, min(ratio)), max(ratio))
    columns, rows = min(width, round(height * aspect)), min(height, round(width / aspect))
    return (height - rows) // 2, (width - columns) // 2, rows, columns


@lru_cache(maxsize=16)
def _log_bounds(lowest: float, highest: float) -> tuple[float, float]:
    low, high = torch.log(torch.tensor((lowest, highest))).tolist()
    return low, high
