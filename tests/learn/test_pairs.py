"""Pairs are drawn by seed and view, and by nothing else."""

import numpy as np
import pytest
import torch

from fieldguide.learn.pairs import Pairs
from fieldguide.learn.training_params import MixParams

INDICES = np.arange(5, 1005)


def pairs(probability: float = 0.5, alpha: float = 1.0, seed: int = 3) -> Pairs:
    return Pairs(MixParams(alpha=alpha, probability=probability), 1200, INDICES, seed)


def test_a_view_has_the_same_pairs_whenever_it_is_asked_for():
    once, again = pairs(), pairs()
    once.of_view(7)
    for view in (2, 7):
        np.testing.assert_array_equal(once.of_view(view).mates, again.of_view(view).mates)
        np.testing.assert_array_equal(once.of_view(view).shares, again.of_view(view).shares)
    assert (once.of_view(2).mates != once.of_view(7).mates).any()
    assert (once.of_view(2).mates != pairs(seed=4).of_view(2).mates).any()


@pytest.mark.parametrize("probability", [0.25, 1.0])
def test_so_many_photos_have_another_over_them(probability: float):
    view = pairs(probability).of_view(0)
    mixed = view.shares < 1
    assert mixed[INDICES].mean() == pytest.approx(probability, abs=0.05)
    assert not mixed[:5].any()
    assert not mixed[1005:].any()
    np.testing.assert_array_equal(view.mates[~mixed], np.arange(1200)[~mixed])
    assert set(view.mates[INDICES]) <= set(INDICES)


def test_each_photo_is_once_the_first_and_once_the_second():
    view = pairs(1.0).of_view(0)
    assert sorted(view.mates[INDICES]) == INDICES.tolist()
    assert view.shares[INDICES].min() >= 0.5


def test_a_small_alpha_leaves_nearly_one_photo():
    assert pairs(1.0, alpha=0.05).of_view(0).shares[INDICES].mean() > 0.95 > pairs(1.0).of_view(0).shares.mean()


def test_a_batch_may_be_of_several_views():
    drawn = pairs(1.0)
    mates, shares = drawn.of_batch(torch.tensor([0, 1]), torch.tensor([10, 10]))
    assert mates.tolist() == [drawn.of_view(view).mates[10] for view in (0, 1)]
    assert shares.tolist() == [drawn.of_view(view).shares[10] for view in (0, 1)]
