"""Losses for classes of unequal size, against the formulas of their papers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from fieldguide.learn.imbalance import balance_classes, count_drawn, log_prior, make_balances
from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.losses import hard_loss
from fieldguide.learn.sampling import balance_weights
from fieldguide.learn.training_params import ClassBalanced, CrossEntropy, LogitAdjusted
from tests.learn.making import make_network

COUNTS = np.array([100.0, 10.0, 1.0, 0.0])
LOGITS = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 0, 1, 2, 0])


def test_counts_are_of_photos_as_they_are_drawn():
    labels = np.array([0] * 12 + [1] * 4 + [UNKNOWN] * 2)
    np.testing.assert_allclose(count_drawn(labels, None, 3), [12, 4, 0])
    # Drawn by another rank's classes, which here are the same: evenly.
    weights = balance_weights(labels, 1.0)
    np.testing.assert_allclose(count_drawn(labels, weights, 3), [6, 6, 0])


def test_log_prior_of_a_class_without_photos_is_that_of_one_photo():
    np.testing.assert_allclose(log_prior(COUNTS), np.log(np.array([100, 10, 1, 1]) / 112))


def test_class_balanced_weights_are_cuis_up_to_a_factor_that_keeps_the_losss_size():
    beta = 0.99
    found = balance_classes(ClassBalanced(kind="class_balanced", beta=beta), COUNTS).weights.numpy()
    cuis = (1 - beta) / (1 - beta ** np.array([100.0, 10, 1, 1]))
    np.testing.assert_allclose(found / found[0], cuis / cuis[0], rtol=1e-5)
    drawn = np.maximum(COUNTS, 1)
    assert (found * drawn).sum() / drawn.sum() == pytest.approx(1)


@pytest.mark.parametrize("beta", [0.0, 0.9])
def test_class_balanced_loss(beta: float):
    balance = balance_classes(ClassBalanced(kind="class_balanced", beta=beta), COUNTS)
    found = hard_loss({"species": LOGITS}, {"species": LABELS}, {"species": 1.0}, 0.0, {"species": balance})
    each = F.cross_entropy(LOGITS, LABELS, reduction="none")
    torch.testing.assert_close(found, (balance.weights[LABELS] * each).mean())
    if beta == 0:
        torch.testing.assert_close(found, each.mean())


@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_logit_adjusted_loss_is_menons_and_at_tau_1_the_balanced_softmax(tau: float):
    counts = np.array([100.0, 10.0, 1.0, 2.0])
    balance = balance_classes(LogitAdjusted(kind="logit_adjusted", tau=tau), counts)
    found = hard_loss({"species": LOGITS}, {"species": LABELS}, {"species": 1.0}, 0.0, {"species": balance})
    scaled = torch.exp(LOGITS) * torch.from_numpy(counts).float() ** tau
    expected = -torch.log(scaled[range(5), LABELS] / scaled.sum(1)).mean()
    torch.testing.assert_close(found, expected)


def test_ranks_of_plain_cross_entropy_have_no_balance():
    spec = make_network().spec
    counts = {rank: np.ones(len(spec.classes[rank])) for rank in spec.ranks}
    losses = {"species": CrossEntropy(kind="cross_entropy"), "genus": LogitAdjusted(kind="logit_adjusted", tau=1.0)}
    assert set(make_balances(spec, losses, counts, torch.device("cpu"))) == {"genus"}
    assert make_balances(spec, {}, counts, torch.device("cpu")) == {}
