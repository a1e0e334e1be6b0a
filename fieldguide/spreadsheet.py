"""CSV files that people open: what other people named never runs there as a formula."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from fieldguide.files import written_whole
from fieldguide.text import printable

STARTS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""With these a spreadsheet takes a text for a formula."""
MARK: Final = "'"
"""In front of such a text: a spreadsheet's own sign for text."""


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table, whole or not at all: UTF-8, `,` between the cells, texts as `safe_cell` has them."""
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(map(safe_cell, header))
        writer.writerows([safe_cell(cell) for cell in row] for row in rows)


def safe_cell(cell: object) -> object:
    """A cell as it may be written: text without what acts on a screen, marked if it looks like a formula."""
    if not isinstance(cell, str):
        return cell
    shown = printable(cell)
    return MARK + shown if shown.startswith(STARTS) or plain_cell(shown) != shown else shown


def plain_cell(text: str) -> str:
    """The text that `safe_cell` marked, as it was."""
    return text[1:] if text.startswith(MARK) and text[1:].lstrip(MARK).startswith(STARTS) else text
