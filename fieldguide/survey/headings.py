"""Which column of a table is which of ours: by what it is called, and by what stands in it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.catalogue.boxes import read_box
from fieldguide.catalogue.rows import ARCHIVE_MEMBER, SCHEME
from fieldguide.catalogue.sources.cells import plain
from fieldguide.catalogue.sources.walking import SUFFIXES
from fieldguide.catalogue.where_when import read_date
from fieldguide.survey.layout import SPLIT_WORDS

FEW_CELLS = 10
"""So few labels may all differ."""

Cells = Sequence[Any]
"""What stands in a column of some rows, without empty cells; never empty itself."""


def _are_texts(cells: Cells) -> bool:
    return all(isinstance(cell, str | int) for cell in cells)


def _are_addresses(cells: Cells) -> bool:
    return all(isinstance(cell, str) and (SCHEME.match(cell) or _is_photo(cell)) for cell in cells)


def _are_labels(cells: Cells) -> bool:
    repeats = len(set(map(str, cells))) < len(cells) or len(cells) < FEW_CELLS
    return _are_texts(cells) and not _are_addresses(cells) and repeats


def _are_unique(cells: Cells) -> bool:
    return _are_texts(cells) and len(set(cells)) == len(cells)


def _are_splits(cells: Cells) -> bool:
    return {str(cell).strip().casefold() for cell in cells} <= set(SPLIT_WORDS)


def _are_degrees(most: float) -> Callable[[Cells], bool]:
    def check(cells: Cells) -> bool:
        try:
            return all(abs(float(cell)) <= most for cell in cells)
        except (TypeError, ValueError):
            return False

    return check


def _are_dates(cells: Cells) -> bool:
    return all(read_date(str(plain(cell))) for cell in cells)


def _are_boxes(cells: Cells) -> bool:
    return all(read_box(cell) for cell in cells)


def _are_sides(cells: Cells) -> bool:
    try:
        return all(float(cell) >= 1 for cell in cells)
    except (TypeError, ValueError):
        return False


def _is_photo(text: str) -> bool:
    member = ARCHIVE_MEMBER.fullmatch(text)
    return Path(member["member"] if member else text).suffix.lower() in SUFFIXES


@dataclass(frozen=True)
class Heading:
    """What a column of ours may be called elsewhere."""

    ours: str
    names: str
    """Whole names, the best first."""
    words: str
    """Parts of longer names that say enough, the best first; looked for where no whole name is found."""
    fits: Callable[[Cells], bool]


HEADINGS = (
    Heading(
        "url",
        "url image_url photo_url img_url identifier access_uri link uri file_path filepath image_path img_path "
        "photo_path path file_name filename image_name file image img photo picture image_id photo_id id",
        "url filename file_name path file image photo",
        _are_addresses,
    ),
    Heading(
        "label",
        "scientific_name species species_name accepted_name taxon_name taxon label class_name class category target "
        "breed variety kind label_name common_name name",
        "scientific_name species label taxon class category",
        _are_labels,
    ),
    Heading("id", "photo_id image_id media_id id uuid uid", "photo_id image_id", _are_unique),
    Heading(
        "observation_id",
        "observation_id observation occurrence_id obs_id gbif_id specimen_id individual_id individual sequence_id "
        "seq_id series",
        "observation occurrence specimen individual",
        _are_texts,
    ),
    Heading("observer", "observer recorded_by observer_id user_login photographer user", "observer", _are_texts),
    Heading("region", "region", "", _are_texts),
    Heading("country", "country_code country", "country", _are_texts),
    Heading("latitude", "latitude decimal_latitude lat", "latitude lat", _are_degrees(90)),
    Heading("longitude", "longitude decimal_longitude lon lng long", "longitude lon lng", _are_degrees(180)),
    Heading("date", "date event_date observed_on date_observed observation_date datetime", "", _are_dates),
    Heading("licence", "licence license license_code license_url licence_url rights", "licence license", _are_texts),
    Heading(
        "rights_holder",
        "rights_holder copyright_holder attribution copyright owner creator author credit",
        "rights_holder copyright attribution",
        _are_texts,
    ),
    Heading("box", "bbox box bounding_box", "bbox", _are_boxes),
    Heading("width", "width image_width photo_width", "", _are_sides),
    Heading("height", "height image_height photo_height", "", _are_sides),
    Heading("given_split", "split subset set partition fold phase usage", "split subset", _are_splits),
)
"""Our columns, in the order in which they choose."""


def match_headings(columns: Mapping[str, Cells]) -> dict[str, str | None]:
    """The table's column for each of ours, None where none has a name and cells that fit; each serves once.

    Neither case nor the signs between words count: `decimalLatitude` is `decimal_latitude`.
    """
    chosen: dict[str, str | None] = {}
    for heading in HEADINGS:
        free = [
            name for name, cells in columns.items() if name not in chosen.values() and cells and heading.fits(cells)
        ]
        chosen[heading.ours] = _first_named(heading, free)
    # The size of a picture serves the box that was drawn on it.
    return chosen if chosen["box"] else chosen | {"width": None, "height": None}


def _first_named(heading: Heading, columns: Sequence[str]) -> str | None:
    parts = {column: _words(column) for column in columns}
    for name in heading.names.split():
        for column in columns:
            if "".join(parts[column]) == name.replace("_", ""):
                return column
    for word in heading.words.split():
        for column in columns:
            if f"_{word}_" in f"_{'_'.join(parts[column])}_":
                return column
    return None


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())
