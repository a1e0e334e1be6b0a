"""What is drawn inside depends on the words alone, and outside nothing has happened."""

import random

import numpy as np
import torch

from fieldguide.records.torch.randomness import drawn_from, seed_of


def test_drawn_from_leaves_the_generators_as_they_were():
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    with drawn_from("a", 1):
        first = draw()
        expected_next = draw()
    before = random.getstate(), torch.get_rng_state()
    with drawn_from("a", 1):
        assert draw() == first
        assert draw() == expected_next
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert seed_of("a", 1) != seed_of("a1") != seed_of("a", 2)


def test_torch_alone_leaves_the_others_where_they_are():
    with drawn_from("a", 1):
        expected = torch.rand(3)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    with drawn_from("a", 1, torch_alone=True):
        assert torch.equal(torch.rand(3), expected)
        assert random.getstate() == before[0]
        assert np.random.get_state()[1].tolist() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])
