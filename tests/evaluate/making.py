"""Answers at one rank, made from logits."""

import numpy as np

from fieldguide.evaluate.answers import RankAnswers
from fieldguide.evaluate.calibration import to_probabilities


def answers_of(classes: list[str], labels: np.ndarray, logits: np.ndarray, temperature: float) -> RankAnswers:
    """Of a rank that speaks for itself: `labels` int64 [n], `logits` float32 [n, len(classes)]."""
    raw, calibrated = to_probabilities(logits), to_probabilities(logits, temperature)
    return RankAnswers.of(classes, labels, logits, raw, calibrated, temperature)
