"""What training on labels minimises: cross entropy over several ranks. What teachers add is in soft_losses.py."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812 (everybody's name for it)
from torch import Tensor

from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.network import split_logits


def hard_loss(
    logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], weights: Mapping[str, float], label_smoothing: float
) -> Tensor:
    """Weighted mean over ranks of the cross entropy: sum(w_r CE_r) / sum(w_r), a scalar.

    `logits` {rank: [batch, classes]}, `labels` {rank: int64 [batch]}. Photos labelled UNKNOWN at a rank do not count
    there, and a rank that no photo of the batch knows does not count at all.
    """
    terms, total = [], 0.0
    for rank, rank_logits in logits.items():
        if bool((labels[rank] != UNKNOWN).any()):
            cross_entropy = F.cross_entropy(
                rank_logits, labels[rank], ignore_index=UNKNOWN, label_smoothing=label_smoothing
            )
            terms.append(weights[rank] * cross_entropy)
            total += weights[rank]
    if not terms or total == 0:
        # Still a function of the logits, so that backward works.
        return sum(rank_logits.sum() for rank_logits in logits.values()) * torch.zeros(())
    return torch.stack(terms).sum() / total


class LabelLoss:
    """Cross entropy over all ranks with the labels alone."""

    def __init__(self, spec: NetworkSpec, labels: Tensor, rank_weights: Mapping[str, float], smoothing: float) -> None:
        """`labels` int64 [num_records, num_ranks] on the training device."""
        self.spec = spec
        self.labels = labels
        self.rank_weights = rank_weights
        self.smoothing = smoothing

    def __call__(self, logits: Tensor, views: Tensor, indices: Tensor) -> Tensor:
        """The loss of one batch: logits float32 [batch, num_outputs], record indices int64 [batch]."""
        chosen = self.labels[indices]
        labels = {rank: chosen[:, column] for column, rank in enumerate(self.spec.ranks)}
        return hard_loss(split_logits(logits, self.spec), labels, self.rank_weights, self.smoothing)
