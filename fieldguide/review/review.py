"""Everything that is made of finished embeddings: metrics, suspects.csv, the map and the page."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.drawing import save_figure
from fieldguide.files import salted_units
from fieldguide.learn.params import ReviewParams
from fieldguide.review.examined import Examined, examine
from fieldguide.review.mapping import draw_map, place_photos
from fieldguide.review.page import write_page
from fieldguide.review.probing import predict_unseen, score_features
from fieldguide.review.suspects import LABEL, Suspect, compare_with_truth, find_suspects, write_suspects
from fieldguide.spreadsheet import write_csv

log = logging.getLogger(__name__)

DECIMALS = 4


def review_embeddings(
    params: ReviewParams,
    tfrecord: Path,
    embed: Path,
    fetch: Path | None,
    split: Path | None,
    reports: Path,
    truth: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write index.html, map.png, map.csv and suspects.csv to `reports`; return what metrics/embed.json says of them.

    `fetch` and `split` are the folders of these stages; `truth` is what is known of wrong labels (`read_truth`). Raises
    RecordError where the embeddings are of other records.
    """
    photos = examine(tfrecord, embed, fetch, split, params.max_photos)
    log.info("reviewing %d photos", len(photos))
    probabilities = predict_unseen(photos, params.folds)
    suspects = find_suspects(photos, probabilities)
    num_labels = sum(suspect.kind == LABEL for suspect in suspects)
    scores = {
        **score_features(photos, probabilities),
        "suspects": {
            "num_examined": len(photos),
            "num_labels": num_labels,
            "num_outliers": len(suspects) - num_labels,
            **(compare_with_truth(photos, suspects, truth) if truth is not None else {}),
        },
    }
    write_suspects(photos, suspects, reports / "suspects.csv")
    rows = choose_rows(photos, suspects, params.map_photos)
    places = np.round(place_photos(photos.features[rows]), DECIMALS)
    labels = [photos.classes[index] for index in photos.labels[rows].tolist()]
    ids = photos.table["photo_id"].gather(rows)
    lines = [(*place, *names) for place, *names in zip(places.tolist(), labels, ids, strict=True)]
    write_csv(reports / "map.csv", ("x", "y", "label", "photo_id"), lines)
    is_suspect = np.isin(rows, [suspect.row for suspect in suspects])
    save_figure(draw_map(places, labels, is_suspect), reports / "map.png")
    write_page(reports / "index.html", photos, suspects, rows, places, scores)
    return scores


def choose_rows(photos: Examined, suspects: list[Suspect], num: int) -> np.ndarray:
    """The rows that are on the map, in order: int64. Suspects first, then those with the lowest salted hash."""
    units = salted_units("fieldguide/map", photos.table["photo_id"])
    units[[suspect.row for suspect in suspects]] -= 1
    rows: np.ndarray = np.sort(np.argsort(units, kind="stable")[:num])
    return rows
