"""What people decided about single photos whose label was suspect: another label, or none of the photo at all.

`decisions.csv` has the columns photo_id and decision, a line for each photo. It is committed; clean follows it before
labels are compared, and the split learns of new labels from its verdicts.

    drop                    the photo is left out, for the reason `decided`
    relabel:NEW LABEL       as if the source had given it this label

`python -m fieldguide decide` adds lines; a line that is removed is no longer followed.
"""

import csv
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from fieldguide.catalogue.names import Nearest
from fieldguide.errors import CatalogueError
from fieldguide.spreadsheet import plain_cell, write_csv
from fieldguide.text import tidy

log = logging.getLogger(__name__)

DECISIONS_LIST: Final = Path("decisions.csv")
COLUMNS: Final = ("photo_id", "decision")
DROP: Final = "drop"
RELABEL: Final = "relabel:"
ALLOWED: Final = f"{DROP} or {RELABEL}NEW LABEL"
PHOTO_ID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Decisions:
    """The list: `drop` or `relabel:NEW LABEL` by photo_id."""

    of_photo: Mapping[str, str]
    where: Mapping[str, str]
    """The line of the file that says so, by photo_id."""

    def check(self, catalogue: pl.DataFrame) -> None:
        """Raise CatalogueError for a photo that is not in the catalogue; warn of labels that no other photo has."""
        known = set(catalogue.filter(pl.col("photo_id").is_in(list(self.of_photo)))["photo_id"])
        for photo in self.of_photo:
            if photo not in known:
                raise CatalogueError(f"{self.where[photo]}: no photo '{photo}' in the catalogue; remove the line")
        labels = set(catalogue["label"].drop_nulls().unique())
        nearest = None
        for photo, label in self.new_labels.items():
            if label not in labels:
                nearest = nearest or Nearest(labels)
                like = f"; nearest is {found!r}" if (found := nearest.find(label)) else ""
                log.warning("%s: no photo of the sources has the label %r%s", self.where[photo], label, like)

    @property
    def new_labels(self) -> dict[str, str]:
        """By photo_id, of those that get one."""
        return {
            photo: decision.removeprefix(RELABEL)
            for photo, decision in self.of_photo.items()
            if decision.startswith(RELABEL)
        }

    @property
    def dropped(self) -> list[str]:
        """photo_id of those that go."""
        return [photo for photo, decision in self.of_photo.items() if decision == DROP]

    def columns(self) -> tuple[pl.Expr, pl.Expr]:
        """For a table with photo_id: `is_decided_out` and `new_label`, null where the label stays."""
        new = self.new_labels
        return (
            pl.col("photo_id").is_in(self.dropped).alias("is_decided_out"),
            pl.col("photo_id").replace_strict(new, default=None, return_dtype=pl.String).alias("new_label")
            if new
            else pl.lit(None, pl.String).alias("new_label"),
        )


NOTHING_DECIDED: Final = Decisions({}, {})


def read_decisions(path: Path) -> Decisions:
    """The list at `path`, empty if there is none. Raises CatalogueError naming a line that cannot be understood."""
    if not path.exists():
        return NOTHING_DECIDED
    return _gather(_read(path, COLUMNS))


def read_choices(path: Path) -> Decisions:
    """Those of a copy of suspects.csv whose last column somebody filled in, or of any .csv with COLUMNS.

    `relabel` alone takes the suggested label. Raises CatalogueError naming a line that cannot be understood.
    """
    if not path.is_file():
        raise CatalogueError(
            f"{path} is missing; expected a copy of reports/embed/suspects.csv, or a list that its page saved"
        )
    return _gather(_read(path, COLUMNS, whole=False))


def write_decisions(path: Path, decisions: Decisions) -> None:
    """Write a list, sorted, so that equal lists are equal files."""
    write_csv(path, COLUMNS, sorted(decisions.of_photo.items()))


def parse_decision(text: str, suggested: str, where: str) -> str:
    """A decision as it is kept. Raises CatalogueError, which says `where`, for any other word."""
    word, colon, label = text.partition(":")
    word, label = word.strip().lower(), tidy(label)
    if word == DROP and not colon:
        return DROP
    if word == RELABEL.removesuffix(":"):
        label = label if colon else suggested
        if label:
            return f"{RELABEL}{label}"
    raise CatalogueError(f"{where}: decision {text!r} is unknown; expected {ALLOWED}")


def _read(path: Path, columns: tuple[str, ...], *, whole: bool = True) -> Iterator[tuple[str, str, str]]:
    """photo_id, decision and where it stands; `whole`: a file of these columns alone, each line with a decision."""
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        found = tuple(reader.fieldnames or ())
        if not (found == columns if whole else set(columns) <= set(found)):
            raise CatalogueError(f"{path} line 1: got {','.join(found) or 'nothing'}; expected {','.join(columns)}")
        for row in reader:
            where = f"{path} line {reader.line_num}"
            photo, text, suggested = (plain_cell((row.get(name) or "").strip()) for name in (*columns, "suggested"))
            if not text and not whole:
                continue
            if not PHOTO_ID.fullmatch(photo):
                raise CatalogueError(f"{where}: photo_id {photo!r} is none; expected 16 hexadecimal digits")
            yield photo, parse_decision(text, suggested, where), where


def _gather(lines: Iterator[tuple[str, str, str]]) -> Decisions:
    of_photo: dict[str, str] = {}
    places: dict[str, str] = {}
    for photo, decision, where in lines:
        if of_photo.setdefault(photo, decision) != decision:
            raise CatalogueError(f"{where}: photo {photo} is to {decision}, but {places[photo]} says {of_photo[photo]}")
        places.setdefault(photo, where)
    return Decisions(of_photo, places)
