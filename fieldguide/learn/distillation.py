"""What a student's training minimises: what teachers say, what their features are, and what the labels say."""

from collections.abc import Mapping

import torch
from torch import Tensor

from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.imbalance import ClassBalance
from fieldguide.learn.losses import NO_BALANCES, hard_loss, mixed_hard_loss
from fieldguide.learn.mixing import Mix
from fieldguide.learn.network import split_logits
from fieldguide.learn.pairs import Pairs
from fieldguide.learn.soft_losses import (
    Divergence,
    feature_loss,
    share_classes,
    share_words,
    soft_loss,
)
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.teachers import TeacherAnswers


class DistillationLoss:
    """soft_weight * (answers) + feature_weight * (features) + hard_weight * (labels).

    Answers and labels are weighted means over the ranks.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        labels: Tensor,
        params: DistillationParams,
        teachers: Mapping[str, TeacherAnswers],
        pairs: Pairs | None = None,
        balances: Mapping[str, ClassBalance] = NO_BALANCES,
    ) -> None:
        """`labels` int64 [num_records, num_ranks] and `balances`, of the labels' word, on the training device.

        Without `teachers` only the labels count.
        """
        self.spec = spec
        self.labels = labels
        self.params = params
        self.teachers = teachers
        self.pairs = pairs
        self.balances = balances
        halves = params.decoupled
        self.divergence = Divergence(
            params.temperature, params.standardize, (halves.alpha, halves.beta) if halves else None
        )
        self.shared = {
            rank: {
                name: share_classes(spec.classes[rank], answers.spec.classes[rank]).to(labels.device)
                for name, answers in teachers.items()
                if rank in answers.spec.classes
            }
            for rank in spec.ranks
        }

    def __call__(self, logits: Tensor, views: Tensor, indices: Tensor, mix: Mix | None = None) -> Tensor:
        """The loss of one batch: views and record indices int64 [batch]; `mix` where there are no teachers.

        `logits` float32 [batch, num_outputs]; with a feature weight, all that a ProjectedStudent gives.
        """
        params, num_logits = self.params, self.spec.num_outputs
        student = split_logits(logits[:, :num_logits], self.spec)
        mates, shares = self.pairs.of_batch(views, indices) if self.pairs else (indices, None)
        labels, mate_labels = self._by_rank(indices), self._by_rank(mates)
        of_labels = (params.rank_weights, params.label_smoothing, self.balances)
        if shares is None:
            hard = hard_loss(student, labels, *of_labels, mix)
        else:
            hard = mixed_hard_loss(student, labels, mate_labels, shares, *of_labels)
        loss = params.hard_weight * hard
        if not self.teachers:
            return loss
        answers = {name: teacher.answer(views, indices) for name, teacher in self.teachers.items()}
        present = {rank: [labels[rank], mate_labels[rank]] for rank in labels}
        if params.soft_weight:
            said = {name: answer.logits for name, answer in answers.items()}
            loss = params.soft_weight * self._soft(student, said, present) + loss
        if params.feature_weight:
            dims = [teacher.dim for teacher in self.teachers.values()]
            features = [answer.features for answer in answers.values() if answer.features is not None]
            share = self._share(self.spec.ranks[0], present, logits.dtype)
            projected = logits[:, num_logits:].split(dims, dim=1)
            loss = loss + params.feature_weight * feature_loss(projected, features, share)
        return loss

    def _soft(
        self,
        student: Mapping[str, Tensor],
        said: Mapping[str, Mapping[str, Tensor]],
        present: Mapping[str, list[Tensor]],
    ) -> Tensor:
        params = self.params
        soft = torch.zeros((), device=self.labels.device)
        for rank, shared in self.shared.items():
            if shared:
                weights = [params.teachers[name] for name in shared]
                logits = [said[name][rank] for name in shared]
                word = soft_loss(student[rank], logits, list(shared.values()), weights, present[rank], self.divergence)
                soft = soft + params.rank_weights[rank] * word
        return soft / sum(params.rank_weights[rank] for rank in self.spec.ranks)

    def _share(self, rank: str, present: Mapping[str, list[Tensor]], dtype: torch.dtype) -> Tensor:
        """What each teacher's features count on each photo; one that does not know the rank's classes has no say."""
        share = torch.zeros(len(present[rank][0]), len(self.teachers), dtype=dtype, device=self.labels.device)
        known = [place for place, name in enumerate(self.teachers) if name in self.shared[rank]]
        if known:
            weights = [self.params.teachers[name] for name in self.shared[rank]]
            share[:, known] = share_words(present[rank], list(self.shared[rank].values()), weights, dtype)
        return share

    def _by_rank(self, indices: Tensor) -> dict[str, Tensor]:
        chosen = self.labels[indices]
        return {rank: chosen[:, column] for column, rank in enumerate(self.spec.ranks)}
