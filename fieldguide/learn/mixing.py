"""Mixup and CutMix: batches in which every photo carries a part of its neighbour, and of the neighbour's label.

What is drawn is a pure function of (seed, epoch, batch). A photo's partner is the one before it in the batch: the order
of batches is random already.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from fieldguide.learn.training_params import TrainingParams
from fieldguide.records.torch.randomness import seed_of

Box = tuple[int, int, int, int]
"""Top, left, bottom and right, px; the last two lie outside."""


@dataclass(frozen=True)
class Mix:
    """How one batch is mixed with itself."""

    share: float
    """Of each photo; the rest is its partner's."""
    box: Box | None
    """What is pasted from the partner; None: all of both is blended."""
    num_parts: int = 1
    """Processes that hold a part of the batch each; a photo's partner is in its own part."""

    def blend(self, images: Tensor) -> Tensor:
        """The mixed batch: float32 [batch, 3, side, side]; `images` may be changed."""
        partners = images.roll(1, 0)
        if self.box is None:
            return images.lerp_(partners, 1 - self.share)
        top, left, bottom, right = self.box
        images[:, :, top:bottom, left:right] = partners[:, :, top:bottom, left:right]
        return images

    def parts(self, labels: Tensor) -> Iterator[tuple[Tensor, float]]:
        """Labels [batch, ...] of what each photo is made of, and the share of each."""
        yield labels, self.share
        yield labels.unflatten(0, (self.num_parts, -1)).roll(1, 1).flatten(0, 1), 1 - self.share


def draw_mix(params: TrainingParams, epoch: int, batch: int, num_parts: int = 1) -> Mix | None:
    """How this batch of this epoch, of which `num_parts` processes hold a part each, is mixed; None: it is not."""
    if params.mixup is None and params.cutmix is None:
        return None
    generator = np.random.default_rng(seed_of(params.seed, "mix", epoch, batch))
    chance = generator.random()
    if params.mixup is not None:
        if chance < params.mixup.probability:
            return Mix(float(generator.beta(params.mixup.alpha, params.mixup.alpha)), None, num_parts)
        chance -= params.mixup.probability
    if params.cutmix is not None and chance < params.cutmix.probability:
        share = float(generator.beta(params.cutmix.alpha, params.cutmix.alpha))
        return replace(_cut(share, params.image_size, generator), num_parts=num_parts)
    return None


def _cut(share: float, side: int, generator: np.random.Generator) -> Mix:
    """A square around a random point, of which what lies outside the photo is cut off; the share follows the rest."""
    half = side * (1 - share) ** 0.5 / 2
    middles = generator.integers(side, size=2)
    top, left = (max(0, round(middle - half)) for middle in middles)
    bottom, right = (min(side, round(middle + half)) for middle in middles)
    return Mix(1 - (bottom - top) * (right - left) / side**2, (top, left, bottom, right))
