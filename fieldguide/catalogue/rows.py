"""One row of a source, and the rules that make every source's text alike.

A URL becomes absolute, except that paths stay relative to the repository's root when the source's own path is:

    photos/1.jpg                  in data/observations.jsonl  ->  file:data/photos/1.jpg
    tar://1.jpg::photos.tar       in data/observations.jsonl  ->  tar://1.jpg::data/photos.tar
    https://example.org/1.jpg                                 ->  the same

`file:` in the catalogue is followed by the path as it is, without percent-encoding.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from fieldguide.catalogue.boxes import DrawnBox, read_box
from fieldguide.catalogue.names import taxon_name
from fieldguide.catalogue.splits import DRAWN
from fieldguide.catalogue.where_when import read_date
from fieldguide.errors import CatalogueError
from fieldguide.params import Section
from fieldguide.text import tidy as tidy_text

ARCHIVE_MEMBER = re.compile(r"(?P<scheme>tar|zip)://(?P<member>.+?)::(?P<archive>.+)", re.DOTALL)
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|(?:file|data):", re.IGNORECASE)
"""What makes an address of a text; `photo-12:30.jpg` is a path."""
SPLIT_NAMES = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a source says about one photo under one label. Its names are tidy and never empty, whoever makes the row."""

    id: str
    """Unique within the source; photo_id is made of it."""
    source_row: str
    """`observations.jsonl:812`."""
    url: str
    root: str | None
    """The folder that a path in `url` must not leave; None where `url` holds no path."""
    observation_id: str | None = None
    observer: str | None = None
    label: str | None = None
    region: str | None = None
    country: str | None = None
    """As the source writes it; serves to find the region where the source names none."""
    latitude: float | None = None
    longitude: float | None = None
    """Degrees; the catalogue keeps them only as coarse as `fetch.cell_degrees`."""
    date: str | None = None
    """`2019-05-12`, `2019-05` or `2019`."""
    licence: str | None = None
    """As the source writes it."""
    rights_holder: str | None = None
    given_split: str | None = None
    box: DrawnBox | None = None
    """Around what the label names."""

    def __post_init__(self) -> None:
        for name in ("observation_id", "observer", "region", "country", "licence", "rights_holder"):
            if (value := getattr(self, name)) is not None and (tidied := tidy_text(value)) != value:
                object.__setattr__(self, name, tidied or None)
        if self.label is not None:
            object.__setattr__(self, "label", taxon_name(self.label) or None)


DESCRIPTIVE = tuple(field.name for field in fields(Row) if field.name not in ("id", "source_row", "url", "root", "box"))
"""The columns of texts and numbers that a source may leave empty, and `fill` may fill."""


class Fill(Section):
    """What to assume of every photo about which the source itself says nothing."""

    region: str | None = None
    """A region's name; null: none."""
    licence: str | None = None
    """Such as `CC-BY-4.0`; null: unknown."""
    rights_holder: str | None = None
    """Whom the credits name; null: nobody."""

    def complete(self, row: Row) -> Row:
        """`row` with its gaps filled."""
        gaps = {name: value for name, value in vars(self).items() if value is not None and getattr(row, name) is None}
        return replace(row, **gaps) if gaps else row


NO_FILL = Fill()


class Source(Protocol):
    """Where rows come from. Every kind is a params section with this one method."""

    def rows(self) -> Iterator[Row]:
        """Every row, in the source's own stable order, a few in memory at a time. Raises CatalogueError."""
        ...


def tidy(value: Any, where: str) -> str | None:
    """A cell that is a name or another word, as tidy text; None if nothing is left. Raises as `trim` does."""
    return tidy_text(trim(value, where) or "") or None


def trim(value: Any, where: str) -> str | None:
    """A cell that is an address or a path, as it is written but for spaces at its ends; None if nothing is left.

    Raises CatalogueError, beginning with `where`, if the cell is nested or cannot be written as UTF-8.
    """
    if value is None:
        return None
    if not isinstance(value, str | int | float):
        raise CatalogueError(f"{where}: got a {type(value).__name__}; expected text, a number or nothing")
    trimmed = str(value).strip()
    try:
        trimmed.encode()
    except UnicodeEncodeError:
        raise CatalogueError(f"{where}: {trimmed!a} is not valid Unicode text") from None
    return trimmed or None


def describe_row(cells: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The descriptive columns among `cells` for a Row, which tidies them; `given_split` in our words.

    `box` may be there as `read_box` takes it, and beside it its picture's `width` and `height`. Raises CatalogueError.
    """
    described: dict[str, Any] = {name: trim(cells[name], f"{where}, {name}") for name in DESCRIPTIVE if name in cells}
    for name, most in (("latitude", 90), ("longitude", 180)):
        if described.get(name) is not None:
            described[name] = _degrees(described[name], most, f"{where}, {name}")
    if described.get("date") is not None:
        described["date"] = read_date(described["date"])
    given = described.get("given_split")
    if given is not None:
        split = SPLIT_NAMES.get(given.casefold(), given.casefold())
        if split not in DRAWN:
            raise CatalogueError(f"{where}, given_split: got {given!r}; expected one of {', '.join(DRAWN)}")
        described["given_split"] = split
    if "box" in cells:
        described["box"] = read_box(cells["box"], cells.get("width"), cells.get("height"))
    return described


def _degrees(text: str, most: int, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= most:
        raise CatalogueError(f"{where}: got {text!r}; expected degrees from -{most} to {most}")
    return value


def locate(text: str, folder: Path) -> tuple[str, str | None]:
    """The absolute URL that `text` means in a table kept in `folder`, and the root it may not leave (or None)."""
    if match := ARCHIVE_MEMBER.fullmatch(text):
        if ARCHIVE_MEMBER.fullmatch(match["archive"]):
            return text, None  # archives in archives are not read
        archive, root = locate(match["archive"], folder)
        return f"{match['scheme']}://{match['member']}::{archive.removeprefix('file:')}", root
    if not SCHEME.match(text):
        return f"file:{folder / text}", str(folder)
    if not text.startswith("file:"):
        return text, None
    path = text.removeprefix("file://") if text.startswith("file:///") else text.removeprefix("file:")
    return f"file:{folder / unquote(path)}", str(folder)
