"""What place and season add to a model's answers: the prior that the validation photos choose, and what it gains."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.special import log_softmax

from fieldguide.evaluate.answers import Answers, EvaluatedModel, Logits, answer_at, concerned_photos
from fieldguide.evaluate.decision import find_wrong, say
from fieldguide.evaluate.prior import FLOOR, Occasions, Prior, count_occasions
from fieldguide.evaluate.rates import rate
from fieldguide.evaluate.rules import Rules, Situation
from fieldguide.evaluate.tree import inform
from fieldguide.learn.labels import map_labels
from fieldguide.records.reader import RecordSet

SPREADS: Final = (1.0, 2.0, 4.0, 8.0)
"""Degrees; one is chosen."""
STRENGTHS: Final = (0.25, 0.5, 0.75, 1.0)
MIN_PHOTOS: Final = 50
"""Validation photos of known place or month, to choose by; with fewer the prior stays off."""
MAX_PHOTOS: Final = 4000
"""Photos of a split that are looked at."""


@dataclass(frozen=True)
class PlacedRecords:
    """The records of a split, with where and when each was taken."""

    records: RecordSet
    occasions: Occasions
    """Of every record."""

    @classmethod
    def read(cls, records: RecordSet, split: Path) -> "PlacedRecords":
        """Of `records`; `split` is the table split.parquet."""
        columns = ("latitude", "longitude", "month")
        table = pl.scan_parquet(split).select("photo_id", *columns)
        photos = pl.LazyFrame({"photo_id": records.photo_ids})
        found = photos.join(table, on="photo_id", how="left", maintain_order="left").collect()
        return cls(records, Occasions(*(found[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in columns)))

    def concerned(self, model: EvaluatedModel) -> tuple[np.ndarray, np.ndarray]:
        """Positions int64 [n] of at most MAX_PHOTOS photos of known place or month that a model is for, and labels."""
        indices, labels = concerned_photos(model, self.records)
        known = np.flatnonzero(self.occasions.is_known[indices])
        known = known[:: -(-len(known) // MAX_PHOTOS) or 1]
        return indices[known], labels[known]


def choose_prior(
    model: EvaluatedModel,
    temperatures: dict[str, float],
    train: PlacedRecords,
    val: PlacedRecords,
    max_bytes: float = math.inf,
) -> Prior:
    """The training photos' places and months, at the spread and strength that make the validation photos likeliest.

    Its file takes at most `max_bytes`. Strength 0 where that is best, or where too few validation photos are of known
    place or month.
    """
    first, *_ = model.classes
    labels = map_labels(train.records, model.classes, [first])[:, 0]
    prior = count_occasions(labels, train.occasions, len(model.classes[first]), max_bytes)
    indices, truth = val.concerned(model)
    if len(indices) < MIN_PHOTOS or not len(prior.counts):
        return prior
    losses = dict.fromkeys([(SPREADS[0], 0.0), *((spread, each) for spread in SPREADS for each in STRENGTHS)], 0.0)
    start = 0
    for batch in model.predict(val.records, indices):
        rows = slice(start, start := start + len(batch[first]))
        likely = log_softmax(batch[first] / temperatures[first], axis=1)
        occasions = val.occasions[indices[rows]]
        for spread in SPREADS:
            ratios = replace(prior, spread=spread, strength=1.0).log_factors(occasions, floor=0.0)
            for own in (pair for pair in losses if pair[0] == spread):
                informed = log_softmax(likely + np.maximum(own[1] * ratios, np.log(FLOOR)), axis=1)
                losses[own] -= float(np.take_along_axis(informed, truth[rows, :1], axis=1).sum())
    spread, strength = min(losses, key=lambda pair: losses[pair])
    return replace(prior, spread=spread, strength=strength)


def score_place(
    model: EvaluatedModel,
    temperatures: dict[str, float],
    rules: Rules,
    prior: Prior,
    test: PlacedRecords,
) -> dict[str, Any]:
    """Answers to the test photos of known place or month: without the prior, with it, and with another photo's place.

    Empty if there is no such photo.
    """
    indices, labels = test.concerned(model)
    if not len(indices):
        return {}

    def ask(of: Prior, occasions: Occasions) -> Answers:
        told = informed(model, of, occasions, temperatures)
        return answer_at(told, temperatures, test.records, indices, labels)

    at = test.occasions[indices]
    elsewhere = at[np.roll(np.arange(len(indices)), len(indices) // 2)]
    scores: dict[str, Any] = {"num_photos": len(indices), "strength": prior.strength, "spread": prior.spread}
    for name, situation, of, occasions in (
        ("without", Situation.ONE, replace(prior, strength=0.0), at),
        ("with", Situation.ONE_PLACED, prior, at),
        ("wrong_place", Situation.ONE_PLACED, prior, elsewhere),
    ):
        answers = ask(of, occasions)
        wrong = find_wrong(say(answers, rules.find(situation)), answers.ranks)
        scores[name] = {**rate("top1", answers.first.is_right), **rate("risk", wrong)}
    return scores


def informed(
    model: EvaluatedModel, prior: Prior, occasions: Occasions, temperatures: dict[str, float]
) -> EvaluatedModel:
    """`model`, told of each photo that it is asked about where and when it was taken, in the order of `occasions`."""
    first, *_ = model.classes

    def predict(records: RecordSet, indices: np.ndarray) -> Iterator[Logits]:
        assert len(indices) == len(occasions)
        start = 0
        for batch in model.predict(records, indices):
            rows = np.arange(start, start := start + len(batch[first]))
            yield {**batch, first: inform(batch[first], prior.log_factors(occasions[rows]), temperatures[first])}

    return replace(model, predict=predict)
