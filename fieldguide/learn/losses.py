"""What training on labels minimises: cross entropy over several ranks. What teachers add is in soft_losses.py."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
import torch.nn.functional as F  # noqa: N812 (everybody's name for it)
from torch import Tensor

from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.imbalance import ClassBalance
from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.mixing import Mix
from fieldguide.learn.network import split_logits

NO_BALANCES: Mapping[str, ClassBalance] = MappingProxyType({})


def hard_loss(
    logits: Mapping[str, Tensor],
    labels: Mapping[str, Tensor],
    weights: Mapping[str, float],
    label_smoothing: float,
    balances: Mapping[str, ClassBalance] = NO_BALANCES,
    mix: Mix | None = None,
) -> Tensor:
    """Weighted mean over ranks of the cross entropy: sum(w_r CE_r) / sum(w_r), a scalar.

    `logits` {rank: [batch, classes]}, `labels` {rank: int64 [batch]}. Photos labelled UNKNOWN at a rank do not count
    there, and a rank that no photo of the batch knows does not count at all. A mixed photo counts for each of its two
    labels by the share it has of it, and of these those that are known.
    """
    parts = {rank: list(mix.parts(labels[rank])) if mix else [(labels[rank], 1.0)] for rank in logits}
    return _mean_over_ranks(logits, parts, weights, label_smoothing, balances)


def mixed_hard_loss(
    logits: Mapping[str, Tensor],
    labels: Mapping[str, Tensor],
    mates: Mapping[str, Tensor],
    shares: Tensor,
    weights: Mapping[str, float],
    label_smoothing: float,
    balances: Mapping[str, ClassBalance] = NO_BALANCES,
) -> Tensor:
    """`hard_loss` for images of which `shares` float32 [batch] are of `labels` and the rest of `mates`: a scalar."""
    parts = {rank: [(labels[rank], shares), (mates[rank], 1 - shares)] for rank in logits}
    return _mean_over_ranks(logits, parts, weights, label_smoothing, balances)


def _mean_over_ranks(
    logits: Mapping[str, Tensor],
    parts: Mapping[str, Sequence[tuple[Tensor, float | Tensor]]],
    weights: Mapping[str, float],
    label_smoothing: float,
    balances: Mapping[str, ClassBalance],
) -> Tensor:
    """`parts` are labels int64 [batch] by rank, and the share that each photo has of them."""
    terms, total = [], 0.0
    for rank, rank_logits in logits.items():
        if any(bool((labels != UNKNOWN).any()) for labels, _ in parts[rank]):
            terms.append(weights[rank] * _rank_loss(rank_logits, parts[rank], label_smoothing, balances.get(rank)))
            total += weights[rank]
    if not terms or total == 0:
        # Still a function of the logits, so that backward works.
        return sum(rank_logits.sum() for rank_logits in logits.values()) * torch.zeros(())
    return torch.stack(terms).sum() / total


def _rank_loss(
    logits: Tensor,
    parts: Sequence[tuple[Tensor, float | Tensor]],
    label_smoothing: float,
    balance: ClassBalance | None,
) -> Tensor:
    """Mean cross entropy of the photos that are known, at least one: a scalar."""
    adjusted = logits if balance is None else logits + balance.shift
    loss, num_known = torch.zeros((), device=logits.device), torch.zeros((), device=logits.device)
    for labels, share in parts:
        each = F.cross_entropy(
            adjusted, labels, ignore_index=UNKNOWN, label_smoothing=label_smoothing, reduction="none"
        )
        if balance is not None:
            each = each * balance.weights[labels.clamp(min=0)]
        loss = loss + (share * each).sum()
        num_known = num_known + (share * (labels != UNKNOWN)).sum()
    return loss / num_known


class LabelLoss:
    """Cross entropy over all ranks with the labels alone."""

    def __init__(
        self,
        spec: NetworkSpec,
        labels: Tensor,
        rank_weights: Mapping[str, float],
        smoothing: float,
        balances: Mapping[str, ClassBalance] = NO_BALANCES,
    ) -> None:
        """`labels` int64 [num_records, num_ranks] and `balances` on the training device."""
        self.spec = spec
        self.labels = labels
        self.rank_weights = rank_weights
        self.smoothing = smoothing
        self.balances = balances

    def __call__(self, logits: Tensor, views: Tensor, indices: Tensor, mix: Mix | None = None) -> Tensor:
        """The loss of one batch: logits float32 [batch, num_outputs], record indices int64 [batch]."""
        chosen = self.labels[indices]
        labels = {rank: chosen[:, column] for column, rank in enumerate(self.spec.ranks)}
        by_rank = split_logits(logits, self.spec)
        return hard_loss(by_rank, labels, self.rank_weights, self.smoothing, self.balances, mix)
