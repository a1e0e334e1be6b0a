"""The page of the map and of the suspects: one file, pictures inside, which asks no server for anything."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fieldguide.files import written_whole
from fieldguide.pages import page_environment
from fieldguide.records.reader import Record
from fieldguide.review.examined import Examined
from fieldguide.review.mapping import style_classes
from fieldguide.review.suspects import LABEL, Suspect
from fieldguide.text import printable

TEMPLATE = "page.html.j2"
MAX_SUSPECTS = 200
"""Of each kind on the page; suspects.csv has all."""
MAP_SIDE, CARD_SIDE = 64, 168
"""px, of a picture's longer side: on the map, and of a suspect."""
WIDTH, HEIGHT, MARGIN = 1000, 640, 14
"""Of the map, in units of the page's drawing."""


@dataclass(frozen=True)
class Card:
    """A suspect as the page shows it."""

    photo_id: str
    picture: str
    """A data URI, likewise `example`."""
    label: str
    suggested: str | None
    example: str | None
    """A training photo of the suggested class, the one whose features are nearest."""
    score: float
    where: str


def write_page(
    path: Path,
    photos: Examined,
    suspects: list[Suspect],
    rows: np.ndarray,
    places: np.ndarray,
    scores: dict[str, Any],
) -> None:
    """Write the page; `rows` int64 [m] of the photos are on the map, at `places` float [m, 2] within [0, 1]."""
    labels = [photos.classes[index] for index in photos.labels[rows].tolist()]
    styles = style_classes(labels)
    notes = {suspect.row: suspect.suggested or "far from all others" for suspect in suspects}
    xs = MARGIN + places[:, 0] * (WIDTH - 2 * MARGIN)
    ys = HEIGHT - MARGIN - places[:, 1] * (HEIGHT - 2 * MARGIN)
    points = [
        {
            "x": round(x, 1),
            "y": round(y, 1),
            "label": label,
            "style": list(styles).index(label) if label in styles else -1,
            "note": notes.get(row),
        }
        for row, x, y, label in zip(rows.tolist(), xs.tolist(), ys.tolist(), labels, strict=True)
    ]
    # What the script reads does not pass through the template's own escaping of what acts on a screen.
    told = [
        {
            "id": photos.table["photo_id"][row],
            "label": printable(point["label"]),
            "note": printable(point["note"] or ""),
            "picture": show_photo(photos.record(row), MAP_SIDE),
        }
        for row, point in zip(rows.tolist(), points, strict=True)
    ]
    cards: dict[str, list[Card]] = {"label": [], "outlier": []}
    for suspect in suspects:
        if len(cards[suspect.kind]) < MAX_SUSPECTS:
            cards[suspect.kind].append(_show(photos, suspect))
    page = page_environment(Path(__file__).parent).get_template(TEMPLATE)
    text = page.render(points=points, told=told, styles=styles, cards=cards, scores=scores, width=WIDTH, height=HEIGHT)
    with written_whole(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def show_photo(record: Record, side: int) -> str:
    """The part of a record's image that is photo, not padding, at most `side` px, as a data URI."""
    stream = io.BytesIO()
    with Image.open(io.BytesIO(record.image)) as image:
        photo = image.convert("RGB").crop(record.box)
        photo.thumbnail((side, side))
        photo.save(stream, "JPEG", quality=75)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _show(photos: Examined, suspect: Suspect) -> Card:
    row = photos.table.row(suspect.row, named=True)
    example = None
    if suspect.kind == LABEL:
        kin = np.flatnonzero(photos.is_train & (photos.labels == photos.classes.index(str(suspect.suggested))))
        if len(kin):
            likeness = photos.features[kin] @ photos.features[suspect.row]
            nearest = kin[(likeness / np.linalg.norm(photos.features[kin], axis=1).clip(1e-12)).argmax()]
            example = show_photo(photos.record(int(nearest)), CARD_SIDE)
    return Card(
        photo_id=row["photo_id"],
        picture=show_photo(photos.record(suspect.row), CARD_SIDE),
        label=photos.classes[row["class_index"]],
        suggested=suspect.suggested,
        example=example,
        score=suspect.score,
        where=", ".join(filter(None, (row["split"], row["source"], row["source_row"]))),
    )
