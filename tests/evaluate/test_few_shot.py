"""Unseen species are told apart from a few examples, none of which gives its neighbours away."""

import numpy as np
import pytest

from fieldguide.evaluate.few_shot import draw_examples, score_few_shot
from fieldguide.evaluate.params import FewShotParams

PARAMS = FewShotParams(shots=[1, 5], draws=3, seed=1)
LABELS = np.repeat(np.arange(4), 12)
GROUPS = np.arange(48) // 2


def embed(scale: float, random: np.random.Generator) -> np.ndarray:
    """Features of LABELS around one point for each species, far from zero."""
    return 9 + np.eye(8)[LABELS] + random.normal(scale=scale, size=(48, 8))


def test_species_that_lie_apart_are_told_apart():
    features = embed(0.01, np.random.default_rng(0))
    scores = score_few_shot(features, LABELS, GROUPS, np.full(8, 9.0), PARAMS)
    assert scores == {
        "1_shot": {"top1": 1.0, "top1_std": 0.0, "num_species": 4},
        "5_shot": {"top1": 1.0, "top1_std": 0.0, "num_species": 4},
    }


def test_five_examples_tell_more_than_one_and_noise_tells_nothing():
    random = np.random.default_rng(0)
    params = FewShotParams(shots=[1, 5], draws=40, seed=1)
    scores = score_few_shot(embed(0.5, random), LABELS, GROUPS, np.full(8, 9.0), params)
    assert 0.25 < scores["1_shot"]["top1"] < scores["5_shot"]["top1"] < 1
    noise = score_few_shot(random.normal(size=(48, 8)), LABELS, GROUPS, np.zeros(8), params)
    assert noise["1_shot"]["top1"] == pytest.approx(0.25, abs=0.1)


def test_a_group_gives_one_example_and_is_not_asked_about():
    # Photos of one group are copies; those of different groups have nothing in common.
    features = np.eye(24)[GROUPS]
    scores = score_few_shot(features, LABELS, GROUPS, np.zeros(24), PARAMS)
    assert scores["1_shot"]["top1"] <= 0.5
    examples = draw_examples(LABELS, GROUPS, 5, np.random.default_rng(0))
    assert np.bincount(LABELS[examples]).tolist() == [5] * 4
    assert len(set(GROUPS[examples].tolist())) == 20


@pytest.mark.parametrize(("shots", "expected"), [(1, [0, 1]), (2, [0]), (3, [])])
def test_a_species_needs_one_group_more_than_examples(shots: int, expected: list[int]):
    labels, groups = np.array([0, 0, 0, 1, 1, 1, 2, 2]), np.array([0, 1, 2, 3, 4, 4, 5, 5])
    examples = draw_examples(labels, groups, shots, np.random.default_rng(0))
    assert np.unique(labels[examples]).tolist() == expected
    scores = score_few_shot(np.eye(8), labels, groups, np.zeros(8), FewShotParams(shots=[shots], draws=1, seed=0))
    assert bool(scores) == bool(expected)
