"""What training minimises: cross entropy over several ranks, and the divergence from teachers.

`soft_weight` is the weight of the teachers, `hard_weight` that of the labels; they need not sum to one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    terms, total = [], 0.0
    for rank, rank_logits in logits.items():
        if bool((labels[rank] != UNKNOWN).any()):
            cross_entropy = _rank_loss(rank_logits, labels[rank], label_smoothing, balances.get(rank), mix)
            terms.append(weights[rank] * cross_entropy)
            total += weights[rank]
    if not terms or total == 0:
        # Still a function of the logits, so that backward works.
        return sum(rank_logits.sum() for rank_logits in logits.values()) * torch.zeros(())
    return torch.stack(terms).sum() / total


def _rank_loss(
    logits: Tensor, labels: Tensor, label_smoothing: float, balance: ClassBalance | None, mix: Mix | None
) -> Tensor:
    """Mean cross entropy of the photos that are known, at least one: a scalar."""
    adjusted = logits if balance is None else logits + balance.shift
    loss, num_known = torch.zeros((), device=logits.device), torch.zeros((), device=logits.device)
    for part, share in mix.parts(labels) if mix else [(labels, 1.0)]:
        each = F.cross_entropy(adjusted, part, ignore_index=UNKNOWN, label_smoothing=label_smoothing, reduction="none")
        if balance is not None:
            each = each * balance.weights[part.clamp(min=0)]
        loss = loss + share * each.sum()
        num_known = num_known + share * (part != UNKNOWN).sum()
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


@dataclass(frozen=True)
class SharedClasses:
    """The classes of one rank that both a teacher and the student know, in the same order."""

    student: Tensor
    """int64 [shared]: positions in the student's classes."""
    teacher: Tensor
    """int64 [shared]: positions in the teacher's classes."""
    known: Tensor
    """bool [student classes]: does the teacher know the class?"""

    def to(self, device: torch.device) -> "SharedClasses":
        """The same on another device."""
        return SharedClasses(self.student.to(device), self.teacher.to(device), self.known.to(device))


def share_classes(student: Sequence[str], teacher: Sequence[str]) -> SharedClasses:
    """Match two lists of taxon names."""
    position = {name: index for index, name in enumerate(teacher)}
    pairs = [(index, position[name]) for index, name in enumerate(student) if name in position]
    return SharedClasses(
        student=torch.tensor([index for index, _ in pairs], dtype=torch.int64),
        teacher=torch.tensor([index for _, index in pairs], dtype=torch.int64),
        known=torch.tensor([name in position for name in student], dtype=torch.bool),
    )


def soft_loss(
    student: Tensor,
    teachers: Sequence[Tensor],
    shared: Sequence[SharedClasses],
    weights: Sequence[float],
    labels: Tensor,
    temperature: float,
) -> Tensor:
    """T^2 times the KL divergence of the student from its teachers at one rank, mean over the batch: a scalar.

    `student` [batch, classes] and `teachers` [batch, their classes] are logits, `labels` int64 [batch] the student's
    class indices. Both softmaxes run over the shared classes only. A teacher speaks only on photos whose label it
    knows; the weights of those that do are renormalised for each photo, and a photo on which none does adds 0. The
    factor T^2 keeps the gradients of the same size for any temperature (Hinton, Vinyals and Dean, 2015).
    """
    speaks = torch.stack([(labels != UNKNOWN) & match.known[labels.clamp(min=0)] for match in shared], dim=1)
    share = speaks * torch.tensor(weights, dtype=student.dtype, device=student.device)
    share = share / share.sum(dim=1, keepdim=True).clamp(min=torch.finfo(student.dtype).tiny)
    divergences = []
    for logits, match in zip(teachers, shared, strict=True):
        log_student = F.log_softmax(student[:, match.student] / temperature, dim=1)
        log_teacher = F.log_softmax(logits[:, match.teacher] / temperature, dim=1)
        divergences.append(F.kl_div(log_student, log_teacher, reduction="none", log_target=True).sum(dim=1))
    return temperature**2 * (share * torch.stack(divergences, dim=1)).sum(dim=1).mean()
