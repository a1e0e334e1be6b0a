"""The answers as files: predictions, temperatures, and the student's mistakes for DVC's plots."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.evaluate.answers import Answers, RankAnswers
from fieldguide.evaluate.decision import say
from fieldguide.evaluate.metrics import measure_reliability
from fieldguide.evaluate.risk import RiskCurve
from fieldguide.evaluate.rules import Rule, Rules
from fieldguide.evaluate.tree import Verdict
from fieldguide.files import write_json, written_whole
from fieldguide.learn.labels import UNKNOWN
from fieldguide.spreadsheet import write_csv

CONFIDENCES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""How sure an answer might have to be."""

SCHEMA: dict[str, pl.DataType] = {
    "photo_id": pl.String(),
    "model": pl.String(),
    "label": pl.String(),
    "top5": pl.List(pl.String()),
    "confidence": pl.List(pl.Float32()),
}


def tabulate(answers: Answers, photo_ids: Sequence[str]) -> pl.DataFrame:
    """A model's five first answers at the first rank, in record order, with their calibrated probabilities."""
    first = answers.first
    names = np.array(first.classes, object)
    columns = {
        "photo_id": [photo_ids[index] for index in answers.indices.tolist()],
        "model": [answers.model] * len(first.best),
        "label": names[first.labels].tolist(),
        "top5": names[first.best].tolist(),
        "confidence": first.calibrated.best.tolist(),
    }
    return pl.DataFrame(columns, schema=SCHEMA)


def write_predictions(path: Path, predictions: Sequence[pl.DataFrame]) -> None:
    """Write predictions.parquet: the tables of all models, one below the other."""
    with written_whole(path) as temporary:
        pl.concat(predictions).write_parquet(temporary, compression="zstd")


def write_confusion(path: Path, answers: RankAnswers) -> None:
    """Write actual and predicted class of every photo, as DVC's confusion plot reads them."""
    names, pairs = answers.classes, zip(answers.labels.tolist(), answers.predicted.tolist(), strict=True)
    write_csv(path, ["actual", "predicted"], [[names[actual], names[predicted]] for actual, predicted in pairs])


def write_mix_ups(path: Path, answers: RankAnswers | None) -> None:
    """Write which class was taken for which other one in how many photos, the most frequent first; `other` is left out.

    Nothing but the header where there are no answers.
    """
    write_csv(path, ["actual", "predicted", "num_photos"], [] if answers is None else _count_mix_ups(answers))


def _count_mix_ups(answers: RankAnswers) -> list[tuple[str, str, int]]:
    names, counts = answers.classes, Counter(zip(answers.labels.tolist(), answers.predicted.tolist(), strict=True))
    rows = [
        (names[actual], names[predicted], count)
        for (actual, predicted), count in counts.items()
        if UNKNOWN != actual != predicted and OTHER not in (names[actual], names[predicted])
    ]
    return sorted(rows, key=lambda row: (-row[2], row[:2]))


def write_reliability(path: Path, answers: RankAnswers, num_bins: int) -> None:
    """Write confidence and accuracy of every bin that has photos, before and after calibration."""
    rows: list[list[Any]] = []
    for state, probabilities in (("as trained", answers.raw), ("calibrated", answers.calibrated)):
        reliability = measure_reliability(probabilities.best[:, 0], answers.is_right, num_bins)
        for place in np.flatnonzero(reliability.counts).tolist():
            confidence, accuracy = reliability.confidence[place], reliability.accuracy[place]
            rows.append([state, f"{confidence:.6f}", f"{accuracy:.6f}", reliability.counts[place]])
    write_csv(path, ["state", "confidence", "accuracy", "num_photos"], rows)


def write_answers(path: Path, answers: Answers, rule: Rule) -> None:
    """Write what the page would say of the photos, were `rule` to ask for more or less confidence.

    One row for each confidence asked for and each kind of answer: the rank of the taxon named, `outside`, `unsure` or
    `strange`, with the share of all photos and how many of these are right. `outside` and `strange` are right of photos
    that are `other` at the broadest rank, or of a class that the model lacks; `unsure` claims nothing.
    """
    rows: list[list[Any]] = []
    for confidence in CONFIDENCES:
        said = say(answers, rule.asking(confidence))
        right = np.zeros(len(said.places), bool)
        nothing = np.array([verdict.is_nothing for verdict in said.verdicts.tolist()], bool)
        for rank, at_rank in answers.ranks.items():
            here = said.ranks == rank
            absent = (at_rank.labels == UNKNOWN) | (at_rank.labels == at_rank.classes.index(OTHER))
            right[here] = np.where(nothing, absent, at_rank.labels == said.places)[here]
        kinds = np.where(said.verdicts == Verdict.TAXON, said.ranks, said.verdicts)
        for kind in (*answers.ranks, Verdict.OUTSIDE, Verdict.STRANGE, Verdict.UNSURE):
            chosen = kinds == kind
            accuracy = f"{right[chosen].mean():.6f}" if chosen.any() and kind != Verdict.UNSURE else ""
            rows.append([confidence, str(kind), f"{chosen.mean():.6f}", accuracy])
    write_csv(path, ["min_confidence", "answer", "share", "accuracy"], rows)


def write_risk(path: Path, curve: RiskCurve) -> None:
    """Write for every threshold the share of photos that get a name, and a wrong one with its 95 % interval.

    `selective_risk` is the share of wrong ones among the names, empty where none is given. DVC plots it.
    """
    low, high = curve.intervals(np.full_like(curve.num_wrong, curve.num_photos))
    columns = (curve.thresholds, curve.coverage, curve.num_wrong / curve.num_photos, low, high)
    rows = [[f"{value:.6f}" for value in row] for row in zip(*columns, strict=True)]
    among_named = [
        f"{wrong / num:.6f}" if num else ""
        for wrong, num in zip(curve.num_wrong.tolist(), curve.num_named.tolist(), strict=True)
    ]
    header = ["min_confidence", "coverage", "risk", "risk_low", "risk_high", "selective_risk"]
    write_csv(path, header, [[*row, own] for row, own in zip(rows, among_named, strict=True)])


def write_calibration(path: Path, scores: dict[str, dict[str, Any]], rules: Mapping[str, Rules]) -> None:
    """Write each model's temperature at every rank and when it may answer; beside it how accurate it is."""
    kept = ("top1", "top5", "macro_f1", "ece", "ece_calibrated", "num_photos")
    decided = ("max_error", "set_target", "fusion_exponent")
    calibration = {
        model: {
            "temperatures": {rank: of["temperature"] for rank, of in score["ranks"].items() if "temperature" in of},
            **{name: score[name] for name in kept},
            **{name: score["answer"][name] for name in decided},
            "rules": rules[model].model_dump(mode="json"),
        }
        for model, score in scores.items()
    }
    write_json(path, calibration)
