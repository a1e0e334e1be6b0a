"""What is kept of a teacher's answer to one image, and what it is when it is read back."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (everybody's name for it)
from torch import Tensor, nn

from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.embedding import to_float16
from fieldguide.learn.network import Network, classifier_of, extract_prelogits, split_logits
from fieldguide.learn.student_params import CachedAnswersParams

FLOAT16_MIN = float(torch.finfo(torch.float16).min)


@dataclass(frozen=True)
class Answer:
    """What a teacher says of a batch."""

    logits: dict[str, Tensor]
    """float32 [batch, its classes] by rank."""
    features: Tensor | None
    """float32 [batch, dim]: what its classifier sees; None where that is not kept."""


class AnswerForm(Protocol):
    """One way to keep answers."""

    @property
    def row_bytes(self) -> int:
        """Of one image."""
        ...

    def forward(self, module: nn.Module, images: Tensor) -> Tensor:
        """What to keep of a batch, as float32 [batch, values]."""
        ...

    def pack(self, values: np.ndarray) -> np.ndarray:
        """The same as it is written: [batch, columns]. Raises TrainingError where it does not fit."""
        ...

    def unpack(self, rows: np.ndarray, device: torch.device) -> Answer:
        """What was written as an answer."""
        ...


def choose_form(params: CachedAnswersParams, teacher: Network) -> AnswerForm:
    """The form that the parameters ask for; its classifier stays where the teacher is."""
    if params.kind == "topk":
        return TopK(teacher.spec, params.k)
    return Prelogits(teacher.spec, classifier_of(teacher.module))


@dataclass(frozen=True)
class Prelogits:
    """The classifier's input in float16, about 2.5 kB; the frozen classifier finishes the answer."""

    spec: NetworkSpec
    classifier: nn.Linear

    @property
    def row_bytes(self) -> int:
        """See AnswerForm; so below."""
        return 2 * self.classifier.in_features

    def forward(self, module: nn.Module, images: Tensor) -> Tensor:
        """The features."""
        return extract_prelogits(module, images)

    def pack(self, values: np.ndarray) -> np.ndarray:
        """float16 [batch, dim]."""
        return to_float16(values)

    def unpack(self, rows: np.ndarray, device: torch.device) -> Answer:
        """Logits and features."""
        features = torch.from_numpy(rows.astype(np.float32)).to(device)
        with torch.no_grad():
            logits = F.linear(features, self.classifier.weight, self.classifier.bias)
        return Answer(split_logits(logits, self.spec), features)


@dataclass(frozen=True)
class TopK:
    """The k largest logits of each rank, and what all others are together; 6 k + 2 bytes a rank.

    Read back, the others have what is left in equal parts. Logits count from the largest, which changes no softmax and
    is where float16 is exact.
    """

    spec: NetworkSpec
    k: int

    @property
    def kept(self) -> dict[str, int]:
        """Logits kept at each rank."""
        return {rank: min(self.k, len(self.spec.classes[rank])) for rank in self.spec.ranks}

    @property
    def row_bytes(self) -> int:
        """Two for each value, four for each place."""
        return sum(6 * k + 2 for k in self.kept.values())

    def forward(self, module: nn.Module, images: Tensor) -> Tensor:
        """Values and the rest of each rank, then the places of each rank's values."""
        values, places = [], []
        for rank, logits in split_logits(module(images).float(), self.spec).items():
            largest, place = logits.topk(self.kept[rank], dim=1)
            rest = logits.scatter(1, place, -torch.inf).logsumexp(dim=1, keepdim=True)
            values.append((torch.cat([largest, rest], dim=1) - largest[:, :1]).clamp(min=FLOAT16_MIN))
            places.append(place.float())
        return torch.cat([*values, *places], dim=1)

    def pack(self, values: np.ndarray) -> np.ndarray:
        """uint16 [batch, columns]: float16 values, then int32 places, bit by bit."""
        num_values = sum(k + 1 for k in self.kept.values())
        places = np.ascontiguousarray(values[:, num_values:], np.int32)
        return np.concatenate([to_float16(values[:, :num_values]).view(np.uint16), places.view(np.uint16)], axis=1)

    def unpack(self, rows: np.ndarray, device: torch.device) -> Answer:
        """Logits alone."""
        num_values = sum(k + 1 for k in self.kept.values())
        values = np.ascontiguousarray(rows[:, :num_values]).view(np.float16).astype(np.float32)
        places = np.ascontiguousarray(rows[:, num_values:]).view(np.int32).astype(np.int64)
        by_rank = torch.from_numpy(values).split([k + 1 for k in self.kept.values()], dim=1)
        places_by_rank = torch.from_numpy(places).split(list(self.kept.values()), dim=1)
        logits = {}
        for (rank, k), kept, place in zip(self.kept.items(), by_rank, places_by_rank, strict=True):
            num = len(self.spec.classes[rank])
            each = kept[:, k:] - np.log(max(1, num - k))
            logits[rank] = each.repeat(1, num).scatter(1, place, kept[:, :k]).to(device)
        return Answer(logits, None)
