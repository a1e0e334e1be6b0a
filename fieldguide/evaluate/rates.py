"""Shares and means over photos as metrics hold them: the number, and beside it its 95 % interval.

Few photos must look like few photos, so nothing is counted without saying how well it is known.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from fieldguide.evaluate.metrics import find_interval, find_mean_interval

DIGITS: Final = 6
"""Decimals kept: enough for ten million photos, short enough to read."""


def rate(name: str, hits: np.ndarray) -> dict[str, Any]:
    """`NAME`, the share of `hits`, bool [n], n > 0, and `NAME_interval`."""
    return {name: round(float(hits.mean()), DIGITS), _interval(name): rate_interval(hits)}


def rates(name: str, hits: Mapping[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """`NAME` and `NAME_interval`, each by the keys of `hits`; those that have no photo are left out."""
    each = {key: rate(name, of) for key, of in hits.items() if len(of)}
    return {part: {key: of[part] for key, of in each.items()} for part in (name, _interval(name))}


def mean(name: str, values: np.ndarray) -> dict[str, Any]:
    """`NAME`, the mean of `values` [n], n > 0, and `NAME_interval`."""
    return {name: round(float(values.mean()), DIGITS), _interval(name): rounded(find_mean_interval(values))}


def rate_interval(hits: np.ndarray) -> list[float]:
    """The interval of the share of `hits`, bool [n]."""
    return rounded(find_interval(int(hits.sum()), len(hits)))


def rounded(interval: tuple[float, float]) -> list[float]:
    """An interval with DIGITS decimals."""
    return [round(bound, DIGITS) for bound in interval]


def _interval(name: str) -> str:
    return f"{name}_interval"
