"""A student and its teachers: what they said about every view of every photo, and the loss that listens to them.

The teachers see exactly the crop that the student sees, in K views of each photo that come round epoch after epoch: "a
good teacher is patient and consistent" (Beyer et al., 2022). One fixed crop would be learnt by heart. Their answers are
kept as the classifiers' inputs in float16, about 1.5 kB a view, and finished by the frozen classifiers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (everybody's name for it)
from torch import Tensor, nn

from fieldguide.digests import is_sealed
from fieldguide.learn.checkpoint import RunFolder
from fieldguide.learn.dataset import PhotoDataset
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.embedding import write_features
from fieldguide.learn.imbalance import ClassBalance
from fieldguide.learn.losses import NO_BALANCES, hard_loss, share_classes, soft_loss
from fieldguide.learn.mixing import Mix
from fieldguide.learn.network import Network, classifier_of, split_logits
from fieldguide.learn.params import DistillationParams
from fieldguide.learn.transforms import Augmentation
from fieldguide.records.reader import RecordSet


@dataclass(frozen=True)
class TeacherFeatures:
    """One teacher's answers to all views of the training photos, without running it again."""

    spec: NetworkSpec
    classifier: nn.Linear
    features: np.ndarray
    """float16 [views * num_photos, dim]: all photos of view 0, then all of view 1, ..."""
    position: np.ndarray
    """int64 [num_records]: place of each record among the photos."""
    num_photos: int

    def logits(self, views: Tensor, indices: Tensor) -> dict[str, Tensor]:
        """The teacher's logits by rank, float32 [batch, its classes], on the device of `views`."""
        rows = views.cpu().numpy() * self.num_photos + self.position[indices.cpu().numpy()]
        features = torch.from_numpy(self.features[rows].astype(np.float32)).to(views.device)
        with torch.no_grad():
            logits = F.linear(features, self.classifier.weight, self.classifier.bias)
        return split_logits(logits, self.spec)


def cache_teacher_features(
    teacher: Network,
    records: RecordSet,
    indices: np.ndarray,
    transform: Augmentation,
    params: DistillationParams,
    name: str,
    folder: RunFolder,
    device: torch.device,
) -> TeacherFeatures:
    """Show `teacher` every view of the photos at `indices`, at its own image size, and keep its features in `folder`.

    A file that a killed run finished there is taken as it is, unless it is damaged.
    """
    path = folder.path / f"teacher-{name}.npy"
    dataset = PhotoDataset(records, teacher.spec, transform, params.seed)
    keys = [(view, int(index)) for view in range(params.views) for index in indices]
    module = teacher.module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if not is_sealed(path):
        write_features(module, dataset, keys, path, folder=folder, batch_size=params.batch_size, workers=params.workers)
    position = np.full(len(records), -1, np.int64)
    position[indices] = np.arange(len(indices))
    features = np.load(path, mmap_mode="r")
    return TeacherFeatures(teacher.spec, classifier_of(module), features, position, len(indices))


class DistillationLoss:
    """soft_weight * (teachers) + hard_weight * (labels), each a weighted mean over the ranks."""

    def __init__(
        self,
        spec: NetworkSpec,
        labels: Tensor,
        params: DistillationParams,
        teachers: Mapping[str, TeacherFeatures],
        balances: Mapping[str, ClassBalance] = NO_BALANCES,
    ) -> None:
        """`labels` int64 [num_records, num_ranks] and `balances`, of the labels' word, on the training device.

        Without `teachers` only the labels count.
        """
        self.spec = spec
        self.labels = labels
        self.params = params
        self.teachers = teachers
        self.balances = balances
        self.shared = {
            rank: {
                name: share_classes(spec.classes[rank], answers.spec.classes[rank]).to(labels.device)
                for name, answers in teachers.items()
                if rank in answers.spec.classes
            }
            for rank in spec.ranks
        }

    def __call__(self, logits: Tensor, views: Tensor, indices: Tensor, mix: Mix | None = None) -> Tensor:
        """The loss of one batch: logits float32 [batch, num_outputs], views and record indices int64 [batch]."""
        assert mix is None or not self.teachers, "what teachers said of whole photos is not true of mixed ones"
        student = split_logits(logits, self.spec)
        chosen = self.labels[indices]
        labels = {rank: chosen[:, column] for column, rank in enumerate(self.spec.ranks)}
        params = self.params
        hard = hard_loss(student, labels, params.rank_weights, params.label_smoothing, self.balances, mix)
        if not self.teachers:
            return params.hard_weight * hard
        answers = {name: teacher.logits(views, indices) for name, teacher in self.teachers.items()}
        soft = torch.zeros((), device=logits.device)
        for rank, shared in self.shared.items():
            if shared:
                divergence = soft_loss(
                    student[rank],
                    [answers[name][rank] for name in shared],
                    list(shared.values()),
                    [params.teachers[name] for name in shared],
                    labels[rank],
                    params.temperature,
                )
                soft = soft + params.rank_weights[rank] * divergence
        total = sum(params.rank_weights[rank] for rank in self.spec.ranks)
        return params.soft_weight * soft / total + params.hard_weight * hard
