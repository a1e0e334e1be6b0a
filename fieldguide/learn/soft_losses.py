"""The divergence of a student from its teachers: class spaces that differ, and the ways to compare logits.

`soft_weight` is the weight of the teachers, `hard_weight` that of the labels; they need not sum to one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 (everybody's name for it)
from torch import Tensor

from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.learn.labels import UNKNOWN


@dataclass(frozen=True)
class SharedClasses:
    """The classes of one rank that both a teacher and the student know, in the same order."""

    student: Tensor
    """int64 [shared]: positions in the student's classes."""
    teacher: Tensor
    """int64 [shared]: positions in the teacher's classes."""
    place: Tensor
    """int64 [student classes]: which of the shared ones it is; UNKNOWN where the teacher does not know the class."""
    folded: Tensor
    """int64 [folded]: positions of the teacher's classes that are `other` to the student; none where one lacks it."""
    other: int
    """Which of the shared classes is `other`; UNKNOWN where nothing is folded."""

    def to(self, device: torch.device) -> "SharedClasses":
        """The same on another device."""
        student, teacher = self.student.to(device), self.teacher.to(device)
        return SharedClasses(student, teacher, self.place.to(device), self.folded.to(device), self.other)

    def of_teacher(self, logits: Tensor) -> Tensor:
        """The teacher's logits [batch, its classes] of the shared classes: [batch, shared].

        What it gives to classes that the student does not know, it gives to `other`: exp of a logit adds up.
        """
        shared = logits[:, self.teacher]
        if not len(self.folded):
            return shared
        together = torch.cat([shared[:, [self.other]], logits[:, self.folded]], dim=1).logsumexp(dim=1)
        return shared.index_copy(1, torch.tensor([self.other], device=logits.device), together[:, None])


def share_classes(student: Sequence[str], teacher: Sequence[str]) -> SharedClasses:
    """Match two lists of taxon names."""
    position = {name: index for index, name in enumerate(teacher)}
    names = [name for name in student if name in position]
    place = {name: index for index, name in enumerate(names)}
    unknown = sorted(position.keys() - set(student), key=position.__getitem__) if OTHER in place else []
    return SharedClasses(
        student=torch.tensor([index for index, name in enumerate(student) if name in place], dtype=torch.int64),
        teacher=torch.tensor([position[name] for name in names], dtype=torch.int64),
        place=torch.tensor([place.get(name, UNKNOWN) for name in student], dtype=torch.int64),
        folded=torch.tensor([position[name] for name in unknown], dtype=torch.int64),
        other=place[OTHER] if unknown else UNKNOWN,
    )


@dataclass(frozen=True)
class Divergence:
    """How far the student's logits are from a teacher's over the same classes."""

    temperature: float
    standardize: bool = False
    """Compare z-scores of the logits (Sun et al., Logit Standardization in Knowledge Distillation, CVPR 2024)."""
    decoupled: tuple[float, float] | None = None
    """Weights of the labelled class against the rest and of the rest (Zhao et al., Decoupled Knowledge Distillation,
    CVPR 2022); None: the Kullback-Leibler divergence (Hinton, Vinyals and Dean, 2015)."""

    def __call__(self, student: Tensor, teacher: Tensor, target: Tensor) -> Tensor:
        """[batch] from two [batch, classes] and the labelled classes, int64 [batch]."""
        if self.standardize:
            student, teacher = _standardize(student), _standardize(teacher)
        student, teacher = student / self.temperature, teacher / self.temperature
        if self.decoupled is None:
            return _divergence(F.log_softmax(student, dim=1), F.log_softmax(teacher, dim=1))
        if student.shape[1] < 2:
            return student.sum(dim=1) * 0.0  # one class is certain, and there is no other
        of_target, of_rest = self.decoupled
        student_sure, student_rest = _decouple(student, target)
        teacher_sure, teacher_rest = _decouple(teacher, target)
        return of_target * _divergence(student_sure, teacher_sure) + of_rest * _divergence(student_rest, teacher_rest)


def share_words(
    labels: Sequence[Tensor], shared: Sequence[SharedClasses], weights: Sequence[float], dtype: torch.dtype
) -> Tensor:
    """What each teacher's word counts on each photo: [batch, teachers], every row adds up to 1, or is all 0.

    `labels` are the student's class indices, int64 [batch], of all photos in an image: one, or two that are mixed. A
    teacher speaks only where it knows all of them.
    """
    speaks = torch.stack(
        [torch.stack([(each != UNKNOWN) & (match.place[each.clamp(min=0)] != UNKNOWN) for each in labels]).all(dim=0)
         for match in shared],
        dim=1,
    )  # fmt: skip
    share = speaks * torch.tensor(weights, dtype=dtype, device=speaks.device)
    return share / share.sum(dim=1, keepdim=True).clamp(min=torch.finfo(dtype).tiny)


def soft_loss(
    student: Tensor,
    teachers: Sequence[Tensor],
    shared: Sequence[SharedClasses],
    weights: Sequence[float],
    labels: Sequence[Tensor],
    divergence: Divergence,
) -> Tensor:
    """T^2 times the divergence of the student from its teachers at one rank, mean over the batch: a scalar.

    `student` [batch, classes] and `teachers` [batch, their classes] are logits, `labels` as in `share_words`; of mixed
    photos the first counts as the labelled one. Softmaxes run over the shared classes only. The weights of the teachers
    that speak are renormalised for each photo, and a photo on which none does adds 0. The factor T^2 keeps gradients of
    the same size for any temperature (Hinton, Vinyals and Dean, 2015).
    """
    share = share_words(labels, shared, weights, student.dtype)
    first = labels[0].clamp(min=0)
    divergences = [
        divergence(student[:, match.student], match.of_teacher(logits), match.place[first].clamp(min=0))
        for logits, match in zip(teachers, shared, strict=True)
    ]
    return divergence.temperature**2 * (share * torch.stack(divergences, dim=1)).sum(dim=1).mean()


def feature_loss(projected: Sequence[Tensor], teachers: Sequence[Tensor], share: Tensor) -> Tensor:
    """Squared error of the projected student's features as a share of the teachers' squares: a scalar, 1 for zeros.

    `projected` and `teachers` [batch, dim of that teacher], `share` [batch, teachers] as from `share_words`. Relative,
    since features of one network are a hundred times as large as another's (FitNets; Romero et al., 2015).
    """
    errors = [
        (ours - theirs).square().mean(dim=1) / theirs.square().mean().clamp(min=torch.finfo(theirs.dtype).tiny)
        for ours, theirs in zip(projected, teachers, strict=True)
    ]
    return (share * torch.stack(errors, dim=1)).sum(dim=1).mean()


def _standardize(logits: Tensor) -> Tensor:
    """Z-scores of each row; a row of equal logits is all 0."""
    centred = logits - logits.mean(dim=1, keepdim=True)
    # Within the root, where it also keeps the slope of a row of equal logits finite.
    return centred / (centred.square().mean(dim=1, keepdim=True) + 1e-12).sqrt()


def _divergence(log_student: Tensor, log_teacher: Tensor) -> Tensor:
    return F.kl_div(log_student, log_teacher, reduction="none", log_target=True).sum(dim=1)


def _decouple(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities of target and rest, [batch, 2], and of the rest's classes among themselves, [batch, c - 1]."""
    is_target = F.one_hot(target, logits.shape[1]).bool()
    rest = logits[~is_target].view(len(logits), -1)
    sure = torch.stack([logits[is_target], rest.logsumexp(dim=1)], dim=1)
    return F.log_softmax(sure, dim=1), F.log_softmax(rest, dim=1)
