"""Several photos of one observation, one answer: how much surer than one photo they are, and what they gain."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.special import log_softmax

from fieldguide.evaluate.answers import EvaluatedModel, Logits, answer_at, concerned_photos
from fieldguide.evaluate.decision import find_wrong, say
from fieldguide.evaluate.rates import rate
from fieldguide.evaluate.rules import MOST_PHOTOS, Rules, Situation
from fieldguide.evaluate.tree import fuse
from fieldguide.records.reader import RecordSet

MAX_OBSERVATIONS: Final = 1000
"""Of a split: a share measured on so many is known to within 3 points."""
MIN_OBSERVATIONS: Final = 50
"""Of validation, to choose the exponent by; with fewer it is 0."""
EXPONENTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
CHUNK: Final = 128
"""Observations whose logits are in memory together."""


def read_observations(split: Path, records: RecordSet) -> list[str | None]:
    """The observation of each record, None where none is known; `split` is the table split.parquet."""
    table = pl.scan_parquet(split).select("photo_id", "observation_id")
    photos = pl.LazyFrame({"photo_id": records.photo_ids}).join(table, on="photo_id", how="left", maintain_order="left")
    return photos.collect()["observation_id"].to_list()


def group_photos(ids: Sequence[str], observations: Sequence[str | None], labels: np.ndarray) -> np.ndarray:
    """Positions of the photos of each observation: int64 [num_observations, MOST_PHOTOS], those with the
    first ids, -1 where it has no more.

    `ids` and `observations` name n photos, `labels` int64 [n] are their classes: photos of an observation that are of
    several classes count as several observations, those of one photo as none.
    """
    photos = pl.DataFrame({"id": ids, "observation": observations, "label": labels}).with_row_index("at")
    grouped = (
        photos.drop_nulls("observation")
        .sort("id")
        .group_by("observation", "label", maintain_order=True)
        .agg(pl.col("at").head(MOST_PHOTOS))
        .filter(pl.col("at").list.len() > 1)
        .sort("observation", "label")
    )
    step = -(-len(grouped) // MAX_OBSERVATIONS)
    rows = grouped["at"].gather_every(step).to_list() if step else []
    return np.array([[*row, *[-1] * (MOST_PHOTOS - len(row))] for row in rows], np.int64).reshape(-1, MOST_PHOTOS)


def choose_exponent(model: EvaluatedModel, records: RecordSet, observations: Sequence[str | None]) -> float:
    """The exponent under which the first-rank classes of the observations of `records` are likeliest.

    `observations` are those of all records. 0 where there are fewer than MIN_OBSERVATIONS, or none pays.
    """
    groups, labels = find_observations(model, records, observations)
    if len(groups) < MIN_OBSERVATIONS:
        return 0.0
    first = next(iter(model.classes))
    losses = np.zeros(len(EXPONENTS))
    for num_photos in range(2, MOST_PHOTOS + 1):
        rows = (groups >= 0).sum(axis=1) == num_photos
        if not rows.any():
            continue
        means = fused(model, groups[rows, :num_photos], 0.0).predict(records, groups[rows, 0])
        mean = np.concatenate([batch[first] for batch in means])
        truth = labels[rows, 0][:, None]
        for place, exponent in enumerate(EXPONENTS):
            likely = log_softmax(mean * num_photos**exponent, axis=1)
            losses[place] -= np.take_along_axis(likely, truth, axis=1).sum()
    return EXPONENTS[int(losses.argmin())] if np.isfinite(losses).all() else 0.0


def score_fusion(
    model: EvaluatedModel,
    temperatures: dict[str, float],
    rules: Rules,
    exponent: float,
    records: RecordSet,
    observations: Sequence[str | None],
) -> dict[str, Any]:
    """Answers to 1, 2 and 3 photos of an observation, over those that have at least so many.

    `top1_alone` is that of the same observations by their first photos. Empty for numbers of photos that none has.
    """
    groups, labels = find_observations(model, records, observations)
    scores, alone = {}, np.empty(0, bool)
    for num_photos in range(1, MOST_PHOTOS + 1):
        rows = (groups >= 0).sum(axis=1) >= num_photos
        if not rows.any():
            break
        asked = groups[rows, :num_photos]
        answers = answer_at(fused(model, asked, exponent), temperatures, records, asked[:, 0], labels[rows])
        rule = rules.find(Situation.of(num_photos, is_placed=False))
        right, wrong = answers.first.is_right, find_wrong(say(answers, rule), answers.ranks)
        alone = right if num_photos == 1 else alone
        scores[str(num_photos)] = {
            "num_observations": len(asked),
            **rate("top1", right),
            **rate("top1_alone", alone[rows]),
            **rate("risk", wrong),
        }
    return {"by_num_photos": scores, "num_photos_fused": int((groups >= 0).sum()), "fusion_exponent": exponent}


def find_observations(
    model: EvaluatedModel, records: RecordSet, observations: Sequence[str | None]
) -> tuple[np.ndarray, np.ndarray]:
    """Record positions int64 [n, MOST_PHOTOS] that a model is for, their labels int64 [n, num_ranks] in its terms."""
    indices, labels = concerned_photos(model, records)
    ids = [records.photo_ids[index] for index in indices.tolist()]
    groups = group_photos(ids, [observations[index] for index in indices.tolist()], labels[:, 0])
    positions = np.append(indices, -1)  # -1 stays what it is
    return positions[groups], labels[groups[:, 0]]


def fused(model: EvaluatedModel, groups: np.ndarray, exponent: float) -> EvaluatedModel:
    """`model`, shown all photos of a row of `groups` where it is asked about the first one.

    They are int64 [n, num_photos], -1 where there are no more. Together they look as familiar as in the mean.
    """

    def predict(records: RecordSet, indices: np.ndarray) -> Iterator[Logits]:
        assert np.array_equal(indices, groups[:, 0])
        for start in range(0, len(groups), CHUNK):
            part = groups[start : start + CHUNK]
            batches = list(model.predict(records, part[part >= 0]))
            ends = np.cumsum((part >= 0).sum(axis=1))[:-1]
            yield {
                rank: np.concatenate(
                    [
                        fuse(photos[None], exponent)
                        for photos in np.split(np.concatenate([batch[rank] for batch in batches]), ends)
                    ]
                )
                for rank in batches[0]
            }

    def familiarity(records: RecordSet, indices: np.ndarray) -> np.ndarray:
        assert model.familiarity
        assert np.array_equal(indices, groups[:, 0])
        is_here = groups >= 0
        each = np.zeros(groups.shape, np.float32)
        each[is_here] = model.familiarity(records, groups[is_here])
        mean: np.ndarray = each.sum(axis=1) / is_here.sum(axis=1).astype(np.float32)
        return mean

    return replace(model, predict=predict, familiarity=familiarity if model.familiarity else None)
