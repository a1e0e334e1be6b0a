"""A model's answers at every rank, calibrated on validation photos: the one form in which all models are evaluated."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fieldguide.errors import RecordError
from fieldguide.evaluate.calibration import fit_temperature, to_probabilities
from fieldguide.evaluate.tree import sum_up
from fieldguide.learn.labels import UNKNOWN, map_labels
from fieldguide.records.reader import RecordSet

Logits = dict[str, np.ndarray]
"""Logits of a set of photos at each rank that a model answers by itself: {rank: float32 [n, classes of that rank]}."""


@dataclass(frozen=True)
class RankAnswers:
    """Answers at one rank for n photos."""

    classes: list[str]
    labels: np.ndarray
    """True class as an index into `classes`: int64 [n], UNKNOWN where the model has no such class."""
    logits: np.ndarray
    """float32 [n, len(classes)]; above the first rank, log-probabilities summed up the tree."""
    temperature: float
    """Fitted on the validation photos."""
    calibrated: np.ndarray | None = None
    """Above the first rank: float32 [n, len(classes)], summed up the tree from calibrated probabilities."""

    @property
    def predicted(self) -> np.ndarray:
        """Index of the first answer: int64 [n]."""
        # A temperature changes no first answer, but it may change one where ranks are summed.
        first: np.ndarray = (self.logits if self.calibrated is None else self.calibrated).argmax(axis=1)
        return first

    def probabilities(self, *, calibrated: bool) -> np.ndarray:
        """float32 [n, len(classes)]; rows add up to 1."""
        if calibrated and self.calibrated is not None:
            return self.calibrated
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
class EvaluatedModel:
    """A model to evaluate: its classes at every rank of the taxonomy, and how it predicts."""

    name: str
    region: str | None
    classes: dict[str, list[str]]
    predict: Callable[[RecordSet, np.ndarray], Logits]
    """Logits of the photos at those positions of a record set; ranks that it leaves out are summed up the tree."""


def calibrate(model: EvaluatedModel, val: RecordSet) -> dict[str, float]:
    """The temperature of a model at every rank, fitted on its validation photos; 1.0 at those that are summed only."""
    indices, labels = concerned_photos(model, val)
    logits = model.predict(val, indices)
    temperatures = dict.fromkeys(model.classes, 1.0)
    for column, rank in enumerate(model.classes):
        if rank in logits:
            known = labels[:, column] != UNKNOWN
            temperatures[rank] = fit_temperature(logits[rank][known], labels[known, column])
    return temperatures


def answer(model: EvaluatedModel, temperatures: dict[str, float], test: RecordSet) -> Answers:
    """Ask a model about its test photos: those of its region whose species it has a class for.

    Raises RecordError if there is none.
    """
    indices, labels = concerned_photos(model, test)
    if not len(indices):
        where = f" in region {model.region!r}" if model.region else ""
        raise RecordError(f"{model.name} knows the species of no {test.split} photo{where}")
    return answer_at(model, temperatures, test, indices, labels)


def answer_at(
    model: EvaluatedModel, temperatures: dict[str, float], records: RecordSet, indices: np.ndarray, labels: np.ndarray
) -> Answers:
    """Ask a model about the photos at `indices`, int64 [n], with `labels` in its terms, int64 [n, num_ranks]."""
    logits, parents = model.predict(records, indices), records.taxonomy.parents
    first, *higher = model.classes
    answers = {first: RankAnswers(model.classes[first], labels[:, 0], logits[first], temperatures[first])}
    if higher:
        raw = sum_up(logits, {}, model.classes, parents)
        calibrated = sum_up(logits, temperatures, model.classes, parents)
        for column, rank in enumerate(higher, start=1):
            log_raw = np.log(np.maximum(raw[rank], np.finfo(np.float32).tiny))
            of_rank = (model.classes[rank], labels[:, column], log_raw, temperatures[rank], calibrated[rank])
            answers[rank] = RankAnswers(*of_rank)
    return Answers(model.name, model.region, indices, answers)


def concerned_photos(model: EvaluatedModel, records: RecordSet) -> tuple[np.ndarray, np.ndarray]:
    """Positions int64 [n] of the photos a model is for, and their labels int64 [n, num_ranks] in its terms."""
    labels = map_labels(records, model.classes, list(model.classes))
    indices = np.flatnonzero((labels[:, 0] != UNKNOWN) & lie_in_region(model, records))
    return indices, labels[indices]


def lie_in_region(model: EvaluatedModel, records: RecordSet) -> np.ndarray:
    """Which photos are of the region that a model is for: bool [num_records]."""
    if model.region is None:
        return np.ones(len(records), bool)
    return np.array([region == model.region for region in records.regions], bool)
