"""Rare classes are drawn more often, as far as asked for."""

import numpy as np
import pytest

from fieldguide.learn.sampling import balance_weights


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.0, [1, 1, 1, 1]), (1.0, [4 / 3, 4 / 3, 4 / 3, 4]), (0.5, [(4 / 3) ** 0.5] * 3 + [2])]
)
def test_balance_weights(fraction: float, expected: list[float]):
    np.testing.assert_allclose(balance_weights(np.array([7, 7, 7, 2]), fraction), expected)
