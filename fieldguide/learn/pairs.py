"""Pairs of photos laid over each other (mixup; Zhang et al., mixup: Beyond Empirical Risk Minimization, 2018).

Which photos make a pair, and the share of each, is a function of (seed, view): so a pair's image can be shown to the
teachers once and to the student as often as the view comes round.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from fieldguide.learn.training_params import MixParams
from fieldguide.records.torch.randomness import seed_of


@dataclass(frozen=True)
class PairedView:
    """Which photo lies over which in one view; by record."""

    mates: np.ndarray
    """int64 [num_records]: the other photo; the photo itself where none lies over it."""
    shares: np.ndarray
    """float32 [num_records]: of the photo in its pair, 0.5 to 1; 1 where it is alone."""


class Pairs:
    """The pairs of all views."""

    def __init__(self, params: MixParams, num_records: int, indices: np.ndarray, seed: int) -> None:
        """`indices` int64 are the photos that take part; each is once in a view the first, and once the second."""
        self._params, self._num_records, self._indices, self._seed = params, num_records, indices, seed
        # A batch is of one view, and the views of an epoch's end and of the next one's start are asked for in turns.
        self.of_view = lru_cache(maxsize=4)(self._draw)

    def of_batch(self, views: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Mates int64 [batch] and shares float32 [batch] of keys, on their device."""
        drawn = [self.of_view(view) for view in views.tolist()]
        places = indices.tolist()
        mates = torch.tensor([int(view.mates[place]) for view, place in zip(drawn, places, strict=True)])
        shares = torch.tensor([float(view.shares[place]) for view, place in zip(drawn, places, strict=True)])
        return mates.to(views.device), shares.to(views.device)

    def _draw(self, view: int) -> PairedView:
        generator = np.random.default_rng(seed_of("pairs", self._seed, view))
        num = len(self._indices)
        mates, shares = np.arange(self._num_records), np.ones(self._num_records, np.float32)
        partners = generator.permutation(self._indices)
        drawn = generator.beta(self._params.alpha, self._params.alpha, num).astype(np.float32)
        chosen = generator.random(num) < self._params.probability
        mates[self._indices[chosen]] = partners[chosen]
        # Not below a half, so that one can say whose the image is.
        shares[self._indices[chosen]] = np.maximum(drawn, 1 - drawn)[chosen]
        return PairedView(mates, shares)
