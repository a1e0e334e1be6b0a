"""A model's answers at every rank, calibrated on validation photos: the one form in which all models are evaluated.

Logits pass by in batches, and of each photo a few numbers are kept: memory does not grow with photos times classes.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.errors import RecordError
from fieldguide.evaluate.answer_sets import count_members, find_reached
from fieldguide.evaluate.calibration import TemperatureFit, in_pieces
from fieldguide.evaluate.metrics import find_best, place_truth
from fieldguide.evaluate.tree import Candidates, sum_up
from fieldguide.learn.attention import PaddingLooks
from fieldguide.learn.labels import UNKNOWN, map_labels
from fieldguide.records.reader import RecordSet

Logits = dict[str, np.ndarray]
"""Logits of a batch of photos at each rank that a model answers by itself: {rank: float32 [batch, classes of it]}."""

NUM_BEST = 5
"""Answers that are kept of each photo."""


@dataclass(frozen=True)
class Confidence:
    """Some of the probabilities of n photos, all float32."""

    best: np.ndarray
    """[n, k], of the k likeliest classes."""
    truth: np.ndarray
    """[n], of the true class; 0 where that is UNKNOWN."""
    named: np.ndarray
    """[n], of the likeliest class that is not `other`; 0 if there is none."""

    @classmethod
    def of(cls, probabilities: np.ndarray, labels: np.ndarray, best: np.ndarray, named: np.ndarray) -> "Confidence":
        """Of probabilities [n, num_classes]; `named` are the positions of classes that are not `other`."""
        truth = probabilities[np.arange(len(labels)), labels]
        return cls(
            best=np.take_along_axis(probabilities, best, axis=1),
            truth=np.where(labels == UNKNOWN, 0, truth),
            named=probabilities[:, named].max(axis=1, initial=0),
        )

    @classmethod
    def joined(cls, parts: Sequence["Confidence"]) -> "Confidence":
        """That of all photos of all parts, in order."""
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


@dataclass(frozen=True)
class RankAnswers:
    """Answers at one rank for n photos."""

    classes: list[str]
    labels: np.ndarray
    """True class as an index into `classes`: int64 [n], UNKNOWN where the model has no such class."""
    temperature: float
    """Fitted on the validation photos."""
    best: np.ndarray
    """The likeliest classes, the likeliest first: int64 [n, at most NUM_BEST]."""
    place: np.ndarray
    """Place of the true class among all answers, 0 where it is the first: int64 [n]; num_classes where UNKNOWN."""
    raw: Confidence
    """As trained."""
    calibrated: Confidence
    """At `temperature`."""
    reached: np.ndarray
    """What the likeliest classes down to the true one add up to, calibrated: float32 [n] (answer_sets.py)."""
    num_likely: np.ndarray
    """How many classes are on the photo's short list: int64 [n]."""

    @classmethod
    def of(
        cls,
        classes: list[str],
        labels: np.ndarray,
        scores: np.ndarray,
        raw: np.ndarray,
        calibrated: np.ndarray,
        temperature: float,
        limit: float = math.inf,
    ) -> "RankAnswers":
        """What is kept of probabilities [n, len(classes)] as trained and calibrated, in the order of `scores`.

        Short lists take classes up to `limit`.
        """
        named = np.array([index for index, name in enumerate(classes) if name != OTHER], np.int64)
        parts = []
        for rows in in_pieces(scores):
            own, truth = scores[rows], labels[rows]
            best = find_best(own, NUM_BEST)
            place = np.where(truth == UNKNOWN, len(classes), place_truth(own, truth))
            before, likely = (Confidence.of(each[rows], truth, best, named) for each in (raw, calibrated))
            reached, num_likely = find_reached(calibrated[rows], truth), count_members(calibrated[rows], limit)
            parts.append(cls(classes, truth, temperature, best, place, before, likely, reached, num_likely))
        return cls.joined(parts)

    @classmethod
    def joined(cls, parts: Sequence["RankAnswers"]) -> "RankAnswers":
        """The answers of all parts, of which there is at least one, one after the other."""
        return cls(
            classes=parts[0].classes,
            labels=np.concatenate([part.labels for part in parts]),
            temperature=parts[0].temperature,
            best=np.concatenate([part.best for part in parts]),
            place=np.concatenate([part.place for part in parts]),
            raw=Confidence.joined([part.raw for part in parts]),
            calibrated=Confidence.joined([part.calibrated for part in parts]),
            reached=np.concatenate([part.reached for part in parts]),
            num_likely=np.concatenate([part.num_likely for part in parts]),
        )

    @property
    def predicted(self) -> np.ndarray:
        """Index of the first answer: int64 [n]."""
        first: np.ndarray = self.best[:, 0]
        return first

    @property
    def candidates(self) -> Candidates:
        """The likeliest classes with their calibrated probabilities."""
        first = self.predicted
        is_other = np.array([name == OTHER for name in self.classes])[first]
        named = np.where(is_other, self.best[:, min(1, self.best.shape[1] - 1)], first)
        return Candidates(first, self.calibrated.best[:, 0], named, self.calibrated.named)

    @property
    def is_right(self) -> np.ndarray:
        """Whether the first answer is the true class: bool [n]."""
        right: np.ndarray = self.place == 0
        return right


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
    familiarity: np.ndarray | None = None
    """How much the photos look like those that the model was taught with (familiar.py): float32 [n]."""

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
    predict: Callable[[RecordSet, np.ndarray], Iterator[Logits]]
    """Logits of the photos at those positions of a record set, in that order, batch by batch; ranks that it leaves out
    are summed up the tree."""
    look: Callable[[RecordSet], PaddingLooks | None] = lambda records: None
    """What it looks at in a record set's padded photos; None where nobody can say."""
    see: Callable[[RecordSet, np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None
    """What its classifier sees of the photos at those positions, float32 [n, dim], and their logits at the first rank,
    float32 [n, classes of it]; None where it has no classifier."""
    familiarity: Callable[[RecordSet, np.ndarray], np.ndarray] | None = None
    """How familiar the photos at those positions look to it: float32 [n]; None where nobody can say."""
    lengths: Mapping[str, np.ndarray] | None = None
    """Length of each class's weights, by rank: float64 [classes of it]; None of what has no classifier to adjust."""


def calibrate(model: EvaluatedModel, val: RecordSet) -> dict[str, float]:
    """The temperature of a model at every rank, fitted on its validation photos; 1.0 at those that are summed only."""
    indices, labels = concerned_photos(model, val)
    fits = {rank: TemperatureFit() for rank in model.classes}
    for batch, of_batch in _predict(model, val, indices, labels):
        for column, rank in enumerate(model.classes):
            if rank in batch:
                known = of_batch[:, column] != UNKNOWN
                fits[rank].add(batch[rank][known], of_batch[known, column])
    return {rank: fit.temperature for rank, fit in fits.items()}


def answer(
    model: EvaluatedModel, temperatures: dict[str, float], records: RecordSet, limits: Mapping[str, float] | None = None
) -> Answers:
    """Ask a model about its photos of one split: those of its region whose species it has a class for.

    `limits` are those of the short lists at each rank. Raises RecordError if there is no such photo.
    """
    indices, labels = concerned_photos(model, records)
    if not len(indices):
        where = f" in region {model.region!r}" if model.region else ""
        raise RecordError(f"{model.name} knows the species of no {records.split} photo{where}")
    return answer_at(model, temperatures, records, indices, labels, limits)


def answer_at(
    model: EvaluatedModel,
    temperatures: dict[str, float],
    records: RecordSet,
    indices: np.ndarray,
    labels: np.ndarray,
    limits: Mapping[str, float] | None = None,
) -> Answers:
    """Ask a model about the photos at `indices`, int64 [n], with `labels` in its terms, int64 [n, num_ranks]; n > 0."""
    parts: dict[str, list[RankAnswers]] = {rank: [] for rank in model.classes}
    for batch, of_batch in _predict(model, records, indices, labels):
        raw, calibrated = (sum_up(batch, each, model.classes, records.taxonomy.parents) for each in ({}, temperatures))
        for column, (rank, classes) in enumerate(model.classes.items()):
            # At the first rank a temperature changes no order, and logits tell apart what both round to 0.
            scores = calibrated[rank] if column else batch[rank]
            of_rank = (classes, of_batch[:, column], scores, raw[rank], calibrated[rank], temperatures[rank])
            parts[rank].append(RankAnswers.of(*of_rank, (limits or {}).get(rank, math.inf)))
    ranks = {rank: RankAnswers.joined(of_rank) for rank, of_rank in parts.items()}
    familiarity = model.familiarity(records, indices) if model.familiarity else None
    return Answers(model.name, model.region, indices, ranks, familiarity)


def _predict(
    model: EvaluatedModel, records: RecordSet, indices: np.ndarray, labels: np.ndarray
) -> Iterator[tuple[Logits, np.ndarray]]:
    """The logits of each batch and, of `labels`, its rows."""
    start = 0
    for batch in model.predict(records, indices):
        end = start + len(next(iter(batch.values())))
        yield batch, labels[start:end]
        start = end
    assert start == len(indices), f"{model.name} answered for {start} of {len(indices)} photos"


def concerned_photos(model: EvaluatedModel, records: RecordSet) -> tuple[np.ndarray, np.ndarray]:
    """Positions int64 [n] of the photos a model is for, and their labels int64 [n, num_ranks] in its terms."""
    labels = map_labels(records, model.classes, list(model.classes))
    indices = np.flatnonzero((labels[:, 0] != UNKNOWN) & lie_in_region(model, records))
    return indices, labels[indices]


def lie_in_region(model: EvaluatedModel, records: RecordSet) -> np.ndarray:
    """Which photos are of the region that a model is for: bool [num_records]."""
    if model.region is None:
        return np.ones(len(records), bool)
    return records.lie_in(model.region)
