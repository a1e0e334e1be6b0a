"""Losses that make up for classes of unequal size: what each class of a rank weighs, and what is added to its logit.

How many photos a class has is counted as they are drawn: where `balance_fraction` shows rare classes more often
already, that much less is left to make up for.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.training_params import ClassBalanced, LogitAdjusted, RankLoss

ClassCounts = Mapping[str, np.ndarray]
"""By rank: photos of each class that an epoch draws, on average: float64 [classes]."""


@dataclass(frozen=True)
class ClassBalance:
    """How one rank's cross entropy treats its classes."""

    weights: Tensor
    """float32 [classes]: by which a photo's loss is multiplied. An epoch's mean is 1, so losses keep their size."""
    shift: Tensor
    """float32 [classes]: added to the logits in training only."""

    def to(self, device: torch.device) -> "ClassBalance":
        """The same on another device."""
        return ClassBalance(self.weights.to(device), self.shift.to(device))


def count_drawn(labels: np.ndarray, weights: np.ndarray | None, num_classes: int) -> np.ndarray:
    """Photos of each class that an epoch draws, on average: float64 [num_classes].

    `labels` int64 [num_photos] may hold UNKNOWN; `weights` float64 [num_photos] say how often each photo is drawn.
    """
    known = labels != UNKNOWN
    share = np.ones(len(labels)) if weights is None else weights * len(weights) / weights.sum()
    return np.bincount(labels[known], share[known], minlength=num_classes).astype(np.float64)


def log_prior(counts: np.ndarray) -> np.ndarray:
    """Logarithm of each class's share: float64 [classes]. A class without photos counts as one with a single photo."""
    seen = np.maximum(counts, 1.0)
    logs: np.ndarray = np.log(seen / seen.sum())
    return logs


def make_balances(
    spec: NetworkSpec, losses: Mapping[str, RankLoss], counts: ClassCounts, device: torch.device
) -> dict[str, ClassBalance]:
    """How the ranks are balanced whose loss is not plain cross entropy, on `device`."""
    return {
        rank: balance_classes(losses[rank], counts[rank]).to(device)
        for rank in spec.ranks
        if isinstance(losses.get(rank), ClassBalanced | LogitAdjusted)
    }


def balance_classes(loss: RankLoss, counts: np.ndarray) -> ClassBalance:
    """What one rank's loss is to each of its classes; `counts` float64 [classes] are the photos that an epoch draws."""
    weights, shift = np.ones(len(counts)), np.zeros(len(counts))
    if isinstance(loss, ClassBalanced):
        seen = np.maximum(counts, 1.0)
        # (1 - beta) / (1 - beta^n): one over the effective number of photos.
        weights = (1 - loss.beta) / (1 - loss.beta**seen)
        weights *= seen.sum() / (weights @ seen)
    elif isinstance(loss, LogitAdjusted):
        shift = loss.tau * log_prior(counts)
    return ClassBalance(torch.from_numpy(weights).float(), torch.from_numpy(shift).float())
