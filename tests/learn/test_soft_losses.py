"""What teachers say, against what one computes by hand and against timm's distillation."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from timm.task.distillation import FeatureDistillationTask, LogitDistillationTask
from torch import Tensor, nn

from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.losses import hard_loss, mixed_hard_loss
from fieldguide.learn.soft_losses import (
    Divergence,
    SharedClasses,
    feature_loss,
    share_classes,
    share_words,
    soft_loss,
)

GENERATOR = torch.Generator().manual_seed(0)
STUDENT = ["other", "a", "b", "c", "d"]
LOGITS = torch.randn(4, 5, generator=GENERATOR)
EVERYONE = torch.randn(4, 5, generator=GENERATOR)
SAME = share_classes(STUDENT, STUDENT)
LABELS = torch.arange(4)


def kl(student: Tensor, teacher: Tensor) -> Tensor:
    """KL(teacher || student) of each row of probabilities, written out."""
    return (teacher * (teacher / student).log()).sum(1)


def divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    return kl(torch.softmax(student / temperature, 1), torch.softmax(teacher / temperature, 1))


def loss(
    teachers: list[Tensor],
    shared: list[SharedClasses],
    weights: list[float],
    labels: Tensor = LABELS,
    student: Tensor = LOGITS,
    mates: Tensor | None = None,
    **options: object,
) -> Tensor:
    present = [labels] if mates is None else [labels, mates]
    return soft_loss(student, teachers, shared, weights, present, Divergence(3.0, **options))  # type: ignore[arg-type]


def test_one_teacher_with_the_same_classes_is_hintons():
    torch.testing.assert_close(loss([EVERYONE], [SAME], [0.2]), 9 * divergence(LOGITS, EVERYONE, 3.0).mean())


class _Fixed(nn.Module):
    """Answers the same whatever it is shown, as timm's tasks ask it."""

    num_classes, in_chans = 5, 3
    pretrained_cfg = {"mean": (0.5,) * 3, "std": (0.5,) * 3}  # noqa: RUF012

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = answer
        self.num_features = answer.shape[1]

    def forward(self, images: Tensor) -> Tensor:
        return self.answer

    def forward_features(self, images: Tensor) -> Tensor:
        return self.answer

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        return features


def test_one_teacher_with_the_same_classes_is_timms():
    task = LogitDistillationTask(
        _Fixed(LOGITS),
        _Fixed(EVERYONE),
        nn.CrossEntropyLoss(),
        distill_loss_weight=0.7,
        task_loss_weight=0.3,
        temperature=3.0,
        verbose=False,
    )
    ours = 0.7 * loss([EVERYONE], [SAME], [1.0]) + 0.3 * hard_loss({"s": LOGITS}, {"s": LABELS}, {"s": 1.0}, 0.0)
    torch.testing.assert_close(ours, task(torch.zeros(4, 3, 8, 8), LABELS)["loss"])


def test_features_of_one_teacher_are_timms_but_for_the_teachers_scale():
    task = FeatureDistillationTask(
        _Fixed(LOGITS), _Fixed(EVERYONE), nn.CrossEntropyLoss(), distill_loss_weight=1.0, verbose=False
    )
    theirs = task(torch.zeros(4, 3, 8, 8), LABELS)["kd_loss"]
    torch.testing.assert_close(feature_loss([LOGITS], [EVERYONE], torch.ones(4, 1)), theirs / EVERYONE.square().mean())
    torch.testing.assert_close(feature_loss([torch.zeros(4, 5)], [EVERYONE * 100], torch.ones(4, 1)), torch.tensor(1.0))


def test_features_count_by_the_share_of_their_teacher():
    share = torch.tensor([[1.0, 0.0], [0.25, 0.75], [0.0, 0.0], [0.0, 1.0]])
    other, ours = torch.ones(4, 2), torch.zeros(4, 2)
    errors = (LOGITS - EVERYONE).square().mean(1) / EVERYONE.square().mean()
    expected = (errors[0] + 0.25 * errors[1] + 0.75 + 0 + 1) / 4
    torch.testing.assert_close(feature_loss([LOGITS, ours], [EVERYONE, other], share), expected)


def test_the_gradient_of_several_teachers_is_that_of_their_mixed_targets():
    student = LOGITS.clone().requires_grad_()
    teachers, weights = [torch.randn(4, 5, generator=GENERATOR) for _ in range(3)], [0.5, 0.2, 0.3]
    (found,) = torch.autograd.grad(loss(teachers, [SAME] * 3, weights, student=student), student)
    target = sum(weight * torch.softmax(teacher / 3, 1) for weight, teacher in zip(weights, teachers, strict=True))
    (expected,) = torch.autograd.grad(9 * F.cross_entropy(student / 3, target), student)
    torch.testing.assert_close(found, expected)


def test_the_order_of_a_teachers_classes_does_not_matter():
    order = [3, 0, 4, 1, 2]
    shuffled = share_classes(STUDENT, [STUDENT[index] for index in order])
    torch.testing.assert_close(loss([EVERYONE], [SAME], [1.0]), loss([EVERYONE[:, order]], [shuffled], [1.0]))


def test_teachers_speak_only_on_what_they_know():
    # The regional teacher knows c and a, and a plant that the student does not; neither knows `other`.
    regional = torch.randn(4, 3, generator=GENERATOR)
    shared = [SAME, share_classes(STUDENT, ["c", "a", "foreign"])]
    found = loss([EVERYONE, regional], shared, [0.5, 1.5], torch.tensor([1, 2, UNKNOWN, 3]))
    whole = divergence(LOGITS, EVERYONE, 3.0)
    part = divergence(LOGITS[:, [1, 3]], regional[:, [1, 0]], 3.0)
    both = 0.25 * whole + 0.75 * part
    torch.testing.assert_close(found, 9 * (both[0] + whole[1] + 0 + both[3]) / 4)


def test_three_teachers_of_different_classes_and_weights():
    names = [STUDENT, ["other", "a", "b"], ["d", "other", "x", "a", "y"]]
    answers = [torch.randn(4, len(each), generator=GENERATOR) for each in names]
    shared = [share_classes(STUDENT, each) for each in names]
    # Who knows the label: all | the first two | the first and the last | the first alone.
    labels, weights = torch.tensor([1, 2, 4, 3]), [1.0, 2.0, 5.0]
    apart = torch.stack(
        [
            divergence(LOGITS, answers[0], 3.0),
            divergence(LOGITS[:, :3], answers[1], 3.0),
            # x and y are `other` to the student.
            divergence(
                LOGITS[:, [0, 1, 4]],
                torch.stack([answers[2][:, [1, 2, 4]].logsumexp(1), answers[2][:, 3], answers[2][:, 0]], 1),
                3.0,
            ),
        ],
        dim=1,
    )
    share = torch.tensor([[1, 2, 5], [1, 2, 0], [1, 0, 5], [1, 0, 0]]) / torch.tensor([[8], [3], [6], [1]])
    torch.testing.assert_close(loss(answers, shared, weights, labels), 9 * (share * apart).sum(1).mean())


def test_a_class_that_only_the_teacher_knows_is_other():
    match = share_classes(["other", "a"], ["b", "a", "other", "c"])
    probabilities = torch.tensor([[0.1, 0.4, 0.2, 0.3]])
    folded = torch.softmax(match.of_teacher(probabilities.log()), 1)
    torch.testing.assert_close(folded, torch.tensor([[0.6, 0.4]]))


def test_a_photo_nobody_knows_has_no_gradient():
    student = LOGITS.clone().requires_grad_()
    found = loss([EVERYONE[:, :1]], [share_classes(STUDENT, ["a"])], [1.0], torch.full((4,), 2), student)
    found.backward()
    assert float(found.detach()) == 0.0
    assert student.grad is not None
    assert not student.grad.any()


def test_on_two_photos_at_once_speaks_who_knows_both():
    shared = [SAME, share_classes(STUDENT, ["a", "b"])]
    share = share_words([torch.tensor([1, 1, 3]), torch.tensor([2, 3, UNKNOWN])], shared, [1.0, 3.0], torch.float32)
    torch.testing.assert_close(share, torch.tensor([[0.25, 0.75], [1.0, 0.0], [0.0, 0.0]]))


def test_standardized_logits_are_compared_whatever_their_scale():
    z = [(each - each.mean(1, keepdim=True)) / each.std(1, correction=0, keepdim=True) for each in (LOGITS, EVERYONE)]
    found = loss([EVERYONE], [SAME], [1.0], standardize=True)
    torch.testing.assert_close(found, 9 * divergence(z[0], z[1], 3.0).mean())
    scaled = loss([EVERYONE * 7 - 2], [SAME], [1.0], student=LOGITS * 0.3 + 5, standardize=True)
    torch.testing.assert_close(found, scaled)


def test_equal_logits_have_a_finite_gradient_when_standardized():
    student = torch.zeros(4, 5, requires_grad=True)
    loss([EVERYONE], [SAME], [1.0], student=student, standardize=True).backward()
    assert student.grad is not None
    assert student.grad.isfinite().all()


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("beta", [0.0, 8.0])
def test_decoupled_as_in_its_paper(alpha: float, beta: float):
    student, teacher = (torch.softmax(each / 3, 1) for each in (LOGITS, EVERYONE))
    rows = []
    for row, label in enumerate(LABELS.tolist()):
        rest = [place for place in range(5) if place != label]
        q, p = student[row], teacher[row]
        sure = kl(*(torch.stack([each[label], 1 - each[label]])[None] for each in (q, p)))
        others = kl(*((each[rest] / each[rest].sum())[None] for each in (q, p)))
        rows.append(alpha * sure + beta * others)
    found = loss([EVERYONE], [SAME], [1.0], decoupled=(alpha, beta))
    torch.testing.assert_close(found, 9 * torch.cat(rows).mean())


def test_the_halves_weighed_as_the_divergence_weighs_them_are_the_divergence():
    # KL = TCKD + (1 - p of the labelled class) NCKD; Zhao et al., equation 6.
    apart = [Divergence(3.0, decoupled=halves)(LOGITS, EVERYONE, LABELS) for halves in ((1.0, 0.0), (0.0, 1.0))]
    rest = 1 - torch.softmax(EVERYONE / 3, 1)[torch.arange(4), LABELS]
    torch.testing.assert_close(apart[0] + rest * apart[1], divergence(LOGITS, EVERYONE, 3.0))


def test_one_shared_class_teaches_nothing_when_decoupled():
    found = loss([EVERYONE[:, :1]], [share_classes(STUDENT, ["a"])], [1.0], torch.ones(4, dtype=torch.int64),
                 decoupled=(1.0, 8.0))  # fmt: skip
    assert float(found) == 0.0


def test_mixed_labels_count_by_their_shares():
    logits, labels = {"species": LOGITS}, {"species": LABELS}
    mates = {"species": torch.tensor([4, UNKNOWN, 0, 3])}
    shares = torch.tensor([0.75, 0.5, 1.0, 0.9])
    losses = torch.log_softmax(LOGITS, 1)
    expected = -(
        0.75 * losses[0, 0] + 0.25 * losses[0, 4] + 0.5 * losses[1, 1] + losses[2, 2] + losses[3, 3]
    ) / 3.5  # fmt: skip
    torch.testing.assert_close(mixed_hard_loss(logits, labels, mates, shares, {"species": 2.0}, 0.0), expected)


def test_photos_alone_have_the_hard_loss():
    logits = {"species": LOGITS, "genus": torch.randn(4, 3, generator=GENERATOR)}
    labels = {"species": LABELS, "genus": torch.tensor([0, UNKNOWN, 2, 1])}
    weights = {"species": 1.0, "genus": 0.3}
    found = mixed_hard_loss(logits, labels, labels, torch.ones(4), weights, 0.1)
    torch.testing.assert_close(found, hard_loss(logits, labels, weights, 0.1))


def test_a_mixed_batch_without_any_known_label_has_loss_zero_and_a_gradient():
    student = LOGITS.clone().requires_grad_()
    unknown = {"species": torch.full((4,), UNKNOWN)}
    found = mixed_hard_loss({"species": student}, unknown, unknown, torch.ones(4), {"species": 1.0}, 0.1)
    found.backward()
    assert float(found.detach()) == 0.0
    assert student.grad is not None
    assert not student.grad.any()
