"""A model's answers at every rank, calibrated on validation photos: the one form in which all models are judged."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fieldguide.errors import RecordError
from fieldguide.judge.calibration import fit_temperature, to_probabilities
from fieldguide.learn.labels import UNKNOWN, map_labels
from fieldguide.records.reader import RecordSet

Logits = dict[str, np.ndarray]
"""Logits of a set of photos at every rank: {rank: float32 [n, classes of that rank]}."""


@dataclass(frozen=True)
class RankAnswers:
    """Answers at one rank for n photos."""

    classes: list[str]
    labels: np.ndarray
    """True class as an index into `classes`: int64 [n], UNKNOWN where the model has no such class."""
    logits: np.ndarray
    """float32 [n, len(classes)]."""
    temperature: float
    """Fitted on the validation photos."""

    @property
    def predicted(self) -> np.ndarray:
        """Index of the first answer: int64 [n]."""
        first: np.ndarray = self.logits.argmax(axis=1)
        return first

    def probabilities(self, *, calibrated: bool) -> np.ndarray:
        """float32 [n, len(classes)]; rows add up to 1."""
        return to_probabilities(self.logits, self.temperature if calibrated else 1.0)


@dataclass(frozen=True)
class Answers:
    """What one model says of the test photos that concern it."""

    model: str
    region: str | None
    """The region the model is for, null for all."""
    indices: np.ndarray
    """Positions of the photos among the test records: int64 [n]."""
    ranks: dict[str, RankAnswers]
    """By rank, the one that is classified first of all in front."""

    @property
    def first(self) -> RankAnswers:
        """The answers at the first rank."""
        return next(iter(self.ranks.values()))


@dataclass(frozen=True)
class Candidate:
    """A model to judge: its classes at every rank of the taxonomy, and how to ask it."""

    name: str
    region: str | None
    classes: dict[str, list[str]]
    ask: Callable[[RecordSet, np.ndarray], Logits]
    """Logits of the photos at those positions of a record set."""


def calibrate(candidate: Candidate, val: RecordSet) -> dict[str, float]:
    """The temperature of a model at every rank, fitted on its validation photos."""
    indices, labels = concerned_photos(candidate, val)
    logits = candidate.ask(val, indices)
    temperatures = {}
    for column, rank in enumerate(candidate.classes):
        known = labels[:, column] != UNKNOWN
        temperatures[rank] = fit_temperature(logits[rank][known], labels[known, column])
    return temperatures


def answer(candidate: Candidate, temperatures: dict[str, float], test: RecordSet) -> Answers:
    """Ask a model about its test photos: those of its region whose species it has a class for.

    Raises RecordError if there is none.
    """
    indices, labels = concerned_photos(candidate, test)
    if not len(indices):
        where = f" in region {candidate.region!r}" if candidate.region else ""
        raise RecordError(f"{candidate.name} knows the species of no {test.split} photo{where}")
    return answer_at(candidate, temperatures, test, indices, labels)


def answer_at(
    candidate: Candidate, temperatures: dict[str, float], records: RecordSet, indices: np.ndarray, labels: np.ndarray
) -> Answers:
    """Ask a model about the photos at `indices`, int64 [n], with `labels` in its terms, int64 [n, num_ranks]."""
    logits = candidate.ask(records, indices)
    answers = {
        rank: RankAnswers(classes, labels[:, column], logits[rank], temperatures[rank])
        for column, (rank, classes) in enumerate(candidate.classes.items())
    }
    return Answers(candidate.name, candidate.region, indices, answers)


def concerned_photos(candidate: Candidate, records: RecordSet) -> tuple[np.ndarray, np.ndarray]:
    """Positions int64 [n] of the photos a model is for, and their labels int64 [n, num_ranks] in its terms."""
    labels = map_labels(records, candidate.classes, list(candidate.classes))
    indices = np.flatnonzero((labels[:, 0] != UNKNOWN) & lie_in_region(candidate, records))
    return indices, labels[indices]


def lie_in_region(candidate: Candidate, records: RecordSet) -> np.ndarray:
    """Which photos are of the region that a model is for: bool [num_records]."""
    if candidate.region is None:
        return np.ones(len(records), bool)
    return np.array([region == candidate.region for region in records.regions], bool)
