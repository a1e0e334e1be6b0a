"""Losses against what one computes by hand."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.losses import hard_loss
from fieldguide.learn.mixing import Mix

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = {"species": torch.randn(4, 5, generator=GENERATOR), "genus": torch.randn(4, 3, generator=GENERATOR)}
WEIGHTS = {"species": 5.0, "genus": 1.0}


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_hard_loss_is_the_weighted_mean_over_ranks(smoothing: float):
    labels = {"species": torch.tensor([0, 1, 2, 4]), "genus": torch.tensor([0, 1, 2, 0])}
    terms = {rank: F.cross_entropy(LOGITS[rank], labels[rank], label_smoothing=smoothing) for rank in LOGITS}
    expected = (5 * terms["species"] + terms["genus"]) / 6
    torch.testing.assert_close(hard_loss(LOGITS, labels, WEIGHTS, smoothing), expected)


def test_unknown_labels_do_not_count():
    labels = {"species": torch.full((4,), UNKNOWN), "genus": torch.tensor([0, UNKNOWN, 2, UNKNOWN])}
    expected = F.cross_entropy(LOGITS["genus"][::2], torch.tensor([0, 2]))
    torch.testing.assert_close(hard_loss(LOGITS, labels, WEIGHTS, 0.0), expected)


def test_a_batch_without_any_known_label_has_loss_zero_and_a_gradient():
    logits = {rank: value.clone().requires_grad_() for rank, value in LOGITS.items()}
    loss = hard_loss(logits, {rank: torch.full((4,), UNKNOWN) for rank in logits}, WEIGHTS, 0.1)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert logits["species"].grad is not None
    assert not logits["species"].grad.any()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_mixed_batch_is_cross_entropy_with_soft_labels(smoothing: float):
    labels, mix = torch.tensor([0, 1, 2, 4]), Mix(0.7, None)
    soft = 0.7 * F.one_hot(labels, 5) + 0.3 * F.one_hot(labels.roll(1), 5)
    soft = (1 - smoothing) * soft + smoothing / 5
    expected = F.cross_entropy(LOGITS["species"], soft)
    found = hard_loss({"species": LOGITS["species"]}, {"species": labels}, {"species": 1.0}, smoothing, mix=mix)
    torch.testing.assert_close(found, expected)


def test_of_a_mixed_photo_the_part_that_is_known_counts():
    labels = torch.tensor([0, UNKNOWN, 2, 1])
    each = [
        F.cross_entropy(LOGITS["genus"], part, reduction="none")
        for part in (labels.clamp(min=0), labels.clamp(min=0).roll(1))
    ]
    own, partners = torch.tensor([1.0, 0, 1, 1]), torch.tensor([1.0, 1, 0, 1])
    expected = (0.7 * own * each[0] + 0.3 * partners * each[1]).sum() / (0.7 * 3 + 0.3 * 3)
    found = hard_loss({"genus": LOGITS["genus"]}, {"genus": labels}, {"genus": 1.0}, 0.0, mix=Mix(0.7, None))
    torch.testing.assert_close(found, expected)
