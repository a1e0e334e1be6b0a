"""The numbers of one model, whole and cut by rank, region and number of training photos."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldguide.evaluate.answers import Answers, RankAnswers
from fieldguide.evaluate.metrics import (
    find_ece_interval,
    measure,
    measure_reliability,
    negative_log_likelihood,
)
from fieldguide.evaluate.rates import DIGITS, rate_interval, rounded
from fieldguide.learn.labels import UNKNOWN
from fieldguide.records.reader import RecordSet
from fieldguide.split.frequency import Frequency, name_frequency
from fieldguide.split.params import FrequencyParams

UNKNOWN_REGION = "unknown"


@dataclass(frozen=True)
class ScoreRules:
    """How answers are counted."""

    ece_bins: int
    """Bins of equal width over confidence."""
    frequency: FrequencyParams
    max_error: float
    """The share of photos that may get a wrong taxon."""
    set_coverage: float
    """The share of photos whose short list shall hold the true class."""
    max_strange: float = 0.0
    """The share of photos of the model's own classes that may look too strange to be named."""
    max_prior_bytes: float = math.inf
    """Of the file that says what place and season tell."""


def score(
    answers: Answers, regions: Sequence[str | None], num_train: dict[str, int], rules: ScoreRules
) -> dict[str, Any]:
    """Everything that metrics/evaluate.json says of one model.

    `regions` are those of all test records, `num_train` the training photos of each class at the first rank.
    """
    own_regions = np.array([regions[index] or UNKNOWN_REGION for index in answers.indices.tolist()])
    first = answers.first
    ranks = {rank: score_rank(at_rank, rules.ece_bins) for rank, at_rank in answers.ranks.items()}
    return {
        **next(iter(ranks.values())),
        "ranks": ranks,
        "regions": _score_groups(first, own_regions, sorted(set(own_regions.tolist()))),
        "frequency": _score_groups(first, name_frequencies(first, num_train, rules), list(Frequency)),
    }


def name_frequencies(answers: RankAnswers, num_train: dict[str, int], rules: ScoreRules) -> np.ndarray:
    """How often the true class of each photo is among the training photos, by name: str [n]."""
    of_class = np.array([name_frequency(num_train.get(name, 0), rules.frequency) for name in answers.classes])
    named: np.ndarray = of_class[answers.labels]
    return named


def score_calibration(answers: Answers, num_bins: int) -> dict[str, Any]:
    """`ece` of the calibrated confidence at each rank, with 95 % intervals."""
    scores: dict[str, dict[str, Any]] = {"ece": {}, "ece_interval": {}}
    for rank, at_rank in answers.ranks.items():
        known = at_rank.labels != UNKNOWN
        if known.any():
            confidence, is_right = at_rank.calibrated.best[known, 0], at_rank.is_right[known]
            scores["ece"][rank] = round(measure_reliability(confidence, is_right, num_bins).ece, DIGITS)
            scores["ece_interval"][rank] = rounded(find_ece_interval(confidence, is_right, num_bins))
    return scores


def count_photos(train: RecordSet) -> dict[str, int]:
    """Training photos of each class at the first rank, by name."""
    rank = train.taxonomy.ranks[0]
    classes = train.taxonomy.classes[rank]
    return dict(zip(classes, np.bincount(train.labels(rank), minlength=len(classes)).tolist(), strict=True))


def score_rank(answers: RankAnswers, num_bins: int) -> dict[str, Any]:
    """Accuracy and calibration at one rank over the photos whose class the model has."""
    known = answers.labels != UNKNOWN
    labels = answers.labels[known]
    if not len(labels):
        return {"num_photos": 0}
    is_right = answers.is_right[known]
    raw, calibrated = (
        measure_reliability(confidence.best[known, 0], is_right, num_bins).ece
        for confidence in (answers.raw, answers.calibrated)
    )
    return {
        **_rounded(measure(answers.place[known], answers.predicted[known], labels)),
        "top1_interval": rate_interval(is_right),
        "ece": round(raw, DIGITS),
        "ece_calibrated": round(calibrated, DIGITS),
        "nll": round(negative_log_likelihood(answers.raw.truth[known]), DIGITS),
        "nll_calibrated": round(negative_log_likelihood(answers.calibrated.truth[known]), DIGITS),
        "temperature": round(answers.temperature, DIGITS),
        "num_photos": len(labels),
    }


def _score_groups(answers: RankAnswers, groups: np.ndarray, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    scores: dict[str, dict[str, Any]] = {}
    for name in names:
        members = groups == name
        if members.any():
            measured = _rounded(measure(answers.place[members], answers.predicted[members], answers.labels[members]))
            interval = rate_interval(answers.is_right[members])
            scores[name] = {**measured, "top1_interval": interval, "num_photos": int(members.sum())}
    return scores


def _rounded(measured: dict[str, float]) -> dict[str, float]:
    return {name: round(value, DIGITS) for name, value in measured.items()}
