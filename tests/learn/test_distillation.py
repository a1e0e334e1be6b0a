"""The student's loss is the weighted sum of all that it listens to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from fieldguide.learn.answer_forms import Answer
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.distillation import DistillationLoss
from fieldguide.learn.labels import map_labels
from fieldguide.learn.losses import LabelLoss, mixed_hard_loss
from fieldguide.learn.network import split_logits
from fieldguide.learn.pairs import Pairs
from fieldguide.learn.soft_losses import Divergence, feature_loss, share_classes, soft_loss
from fieldguide.learn.student_params import DistillationParams
from fieldguide.records.reader import RecordSet
from tests.learn.making import make_network, student_section

VIEWS, CHOSEN = torch.tensor([0, 1, 1]), torch.tensor([3, 3, 30])
GENERATOR = torch.Generator().manual_seed(0)
SPEC = make_network().spec
LOGITS = torch.randn(3, SPEC.num_outputs, generator=GENERATOR)
PROJECTED = torch.randn(3, 6, generator=GENERATOR)


@dataclass(frozen=True)
class Said:
    """A teacher that says the same whatever it is asked."""

    spec: NetworkSpec
    said: Answer
    dim: int = 6

    def answer(self, views: torch.Tensor, indices: torch.Tensor) -> Answer:
        return self.said


TEACHER = Said(
    SPEC,
    Answer(
        split_logits(torch.randn(3, SPEC.num_outputs, generator=GENERATOR), SPEC),
        torch.randn(3, 6, generator=GENERATOR),
    ),
)


@pytest.fixture
def labels(train: RecordSet) -> torch.Tensor:
    return torch.from_numpy(map_labels(train, SPEC.classes, SPEC.ranks))


def params(**changes: Any) -> DistillationParams:
    return DistillationParams.model_validate(student_section(**changes))


def loss(labels: torch.Tensor, outputs: torch.Tensor = LOGITS, pairs: Pairs | None = None, **changes: Any):
    distillation = DistillationLoss(SPEC, labels, params(**changes), {"global": TEACHER}, pairs)  # type: ignore[dict-item]
    return distillation(outputs, VIEWS, CHOSEN)


def soft(labels: torch.Tensor, divergence: Divergence, mates: torch.Tensor = CHOSEN) -> torch.Tensor:
    """At all ranks, species counting twice as much as genera."""
    words = [
        soft_loss(
            split_logits(LOGITS, SPEC)[rank],
            [TEACHER.said.logits[rank]],
            [share_classes(SPEC.classes[rank], SPEC.classes[rank])],
            [1.0],
            [labels[CHOSEN][:, column], labels[mates][:, column]],
            divergence,
        )
        for column, rank in enumerate(SPEC.ranks)
    ]
    return (words[0] + 0.5 * words[1]) / 1.5


def hard(labels: torch.Tensor) -> torch.Tensor:
    return LabelLoss(SPEC, labels, {"species": 1.0, "genus": 0.5}, 0.1)(LOGITS, VIEWS, CHOSEN)


@pytest.mark.parametrize(
    ("changes", "divergence"),
    [
        ({}, Divergence(3.0)),
        ({"temperature": 5.0, "standardize": True}, Divergence(5.0, standardize=True)),
        ({"decoupled": {"alpha": 1.0, "beta": 8.0}}, Divergence(3.0, decoupled=(1.0, 8.0))),
    ],
)
def test_teachers_and_labels(labels: torch.Tensor, changes: dict[str, Any], divergence: Divergence):
    expected = 0.7 * soft(labels, divergence) + 0.3 * hard(labels)
    torch.testing.assert_close(loss(labels, **changes), expected)


def test_features_are_matched_beside_them(labels: torch.Tensor):
    outputs = torch.cat([LOGITS, PROJECTED], dim=1)
    matched = feature_loss([PROJECTED], [TEACHER.said.features], torch.ones(3, 1))  # type: ignore[list-item]
    expected = 0.7 * soft(labels, Divergence(3.0)) + 0.3 * hard(labels) + 0.2 * matched
    torch.testing.assert_close(loss(labels, outputs, feature_weight=0.2), expected)
    alone = loss(labels, outputs, soft_weight=0.0, hard_weight=0.0, feature_weight=0.2)
    torch.testing.assert_close(alone, 0.2 * matched)


def test_without_labels_the_teachers_functions_are_matched(labels: torch.Tensor):
    torch.testing.assert_close(
        loss(labels, soft_weight=1.0, hard_weight=0.0), soft(labels, Divergence(3.0)), rtol=1e-6, atol=0
    )


def test_pairs_have_the_labels_of_both(labels: torch.Tensor):
    given = params(mix={"alpha": 1.0, "probability": 1.0})
    assert given.mix
    pairs = Pairs(given.mix, len(labels), np.arange(len(labels)), 17)
    mates, shares = pairs.of_batch(VIEWS, CHOSEN)
    by_rank = [{rank: labels[of][:, column] for column, rank in enumerate(SPEC.ranks)} for of in (CHOSEN, mates)]
    weights = {"species": 1.0, "genus": 0.5}
    mixed = mixed_hard_loss(split_logits(LOGITS, SPEC), *by_rank, shares, weights, 0.1)
    expected = 0.7 * soft(labels, Divergence(3.0), mates) + 0.3 * mixed
    torch.testing.assert_close(loss(labels, pairs=pairs, mix={"alpha": 1.0, "probability": 1.0}), expected)


def test_without_teachers_only_the_labels_count(labels: torch.Tensor):
    found = DistillationLoss(SPEC, labels, params(), {})(LOGITS, VIEWS, CHOSEN)
    torch.testing.assert_close(found, 0.3 * hard(labels))
