"""Photos to look at: suspect labels and outliers as one list, the CSV of them, and how many of the known errors it has.

A copy of the CSV, with a word in its last column, is what `python -m fieldguide decide` takes (clean/decisions.py).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from fieldguide.catalogue.schema import photo_id
from fieldguide.errors import ParamsError
from fieldguide.review.confident_learning import find_label_issues
from fieldguide.review.examined import Examined
from fieldguide.review.outliers import find_outliers
from fieldguide.spreadsheet import write_csv

LABEL, OUTLIER = "label", "outlier"
COLUMNS = ("photo_id", "kind", "label", "suggested", "score", "split", "source", "source_row", "decision")


@dataclass(frozen=True)
class Suspect:
    """One photo to look at."""

    row: int
    """Among the examined."""
    kind: str
    """`label` or `outlier`."""
    suggested: str | None
    """The class that it is likely of; None for an outlier."""
    score: float
    """Of a label the probability of the suggested class less that of its own, of an outlier the robust z-score."""


def find_suspects(photos: Examined, probabilities: np.ndarray) -> list[Suspect]:
    """Suspect labels, the worst first, then outliers whose label is not suspect. Photos of `other` have no label."""
    named = np.flatnonzero(photos.is_named)
    labels = photos.labels[named]
    found, guesses = find_label_issues(probabilities[named], labels)
    suspects = []
    for place, guess in zip(found.tolist(), guesses.tolist(), strict=True):
        row = int(named[place])
        margin = float(probabilities[row, guess] - probabilities[row, labels[place]])
        suspects.append(Suspect(row, LABEL, photos.classes[guess], round(margin, 4)))
    known = {suspect.row for suspect in suspects}
    far, scores = find_outliers(photos)
    return suspects + [
        Suspect(row, OUTLIER, None, round(score, 4))
        for row, score in zip(far.tolist(), scores.tolist(), strict=True)
        if row not in known
    ]


def write_suspects(photos: Examined, suspects: list[Suspect], path: Path) -> None:
    """Write the CSV; its last column is empty, for people to fill."""
    lines = []
    for suspect in suspects:
        row = photos.table.row(suspect.row, named=True)
        label = photos.classes[row["class_index"]]
        where = (row["split"], row["source"] or "", row["source_row"] or "", "")
        lines.append((row["photo_id"], suspect.kind, label, suspect.suggested or "", suspect.score, *where))
    write_csv(path, COLUMNS, lines)


def compare_with_truth(photos: Examined, suspects: list[Suspect], truth: Mapping[str, str]) -> dict[str, Any]:
    """Recall and precision of the suspect labels against the rows that `truth` says are wrong (`read_truth`).

    Only rows that are among the photos count.
    """
    sources = photos.table["source"].drop_nulls().unique().to_list()
    ids = {photo_id(source, row): right for source in sources for row, right in truth.items()}
    planted = photos.table.select("photo_id").with_row_index("row").filter(pl.col("photo_id").is_in(list(ids)))
    right = {row: ids[name] for row, name in planted.iter_rows()}
    ranked = [suspect.row for suspect in suspects if suspect.kind == LABEL]
    listed = {suspect.row: suspect.suggested for suspect in suspects if suspect.kind == LABEL}
    hits = listed.keys() & right.keys()
    return {
        "num_wrong": len(right),
        "num_found": len(hits),
        "recall": round(len(hits) / len(right), 4) if right else None,
        "precision": round(len(hits) / len(listed), 4) if listed else None,
        # Precision and recall of the list's beginning, as long as the list of what is known to be wrong.
        "r_precision": round(len(right.keys() & set(ranked[: len(right)])) / len(right), 4) if right else None,
        "num_well_suggested": sum(listed[row] == right[row] for row in hits),
    }


def read_truth(path: Path) -> dict[str, str]:
    """The true label by the id of a source's row. Raises ParamsError where the file is not there or not of its form."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["label_errors"]
        return {entry["id"]: entry["true"] for entry in entries}
    except FileNotFoundError:
        raise ParamsError(f"embed.review.truth: {path} is missing") from None
    except (ValueError, KeyError, TypeError):
        raise ParamsError(
            f'embed.review.truth: {path} has no list {{"label_errors": [{{"id": ..., "true": ...}}]}}'
        ) from None
