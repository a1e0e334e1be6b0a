"""The list of photos, and of people, that nothing may be made of any more; copies of the photos included.

`forgotten.csv` has the columns kind and value, a line for each thing by which a photo is recognised. It is committed,
so it names nobody: texts stand there as SHA-256 digests. `python -m fieldguide forget` adds lines; a line that is
removed is no longer honoured.

    photo_id        16 hexadecimal digits
    bytes           the SHA-256 of the file
    url             the SHA-256 of the URL as the catalogue has it
    observer        the SHA-256 of the name in lower case, likewise rights_holder
    fingerprint     PDQ, 64 hexadecimal digits: photos that differ in at most COPY_BITS are taken for copies
"""

import csv
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl

from fieldguide.clean.candidates import count_differences
from fieldguide.errors import CatalogueError
from fieldguide.files import written_whole
from fieldguide.images.fingerprints import stack_fingerprints
from fieldguide.text import tidy

FORGOTTEN_LIST: Final = Path("forgotten.csv")
COLUMNS: Final = ("kind", "value")
HASHED: Final = ("url", "observer", "rights_holder")
"""Kinds of text, which the list must not repeat."""
DIGITS: Final = {"photo_id": 16, "bytes": 64, **dict.fromkeys(HASHED, 64), "fingerprint": 64}
COPY_BITS: Final = 31
"""Saving again, another size, brightness and a watermark change fewer. No picture is left to look at, and what was
asked to go must not come back, so here the fingerprint alone decides."""


@dataclass(frozen=True, order=True)
class Line:
    """One thing by which a photo is recognised."""

    kind: str
    value: str

    @classmethod
    def of(cls, kind: str, text: str) -> Self:
        """The line for a value of a catalogue's column."""
        if kind not in HASHED:
            return cls(kind, text)
        # Servers distinguish the case of a path, people do not that of a name.
        spelled = text if kind == "url" else tidy(text).casefold()
        return cls(kind, hashlib.sha256(spelled.encode()).hexdigest())


@dataclass(frozen=True)
class Forgotten:
    """The list."""

    lines: frozenset[Line]

    def find(self, catalogue: pl.DataFrame, fingerprints: pl.Series) -> pl.Series:
        """For every row the first kind of line that speaks of it, or null; `fingerprints` are those of the rows.

        `catalogue` needs the columns of those kinds that are on the list.
        """
        found = pl.lit(None, pl.String)
        for kind in reversed(DIGITS):
            if values := sorted(line.value for line in self.lines if line.kind == kind):
                is_meant = (
                    _find_copies(fingerprints, values) if kind == "fingerprint" else _find(catalogue, kind, values)
                )
                found = pl.when(is_meant).then(pl.lit(kind)).otherwise(found)
        nothing = pl.Series("forgotten", [None], pl.String).new_from_index(0, len(catalogue))
        return nothing.to_frame().select(pl.coalesce(found, "forgotten").alias("forgotten")).to_series()


def _find(catalogue: pl.DataFrame, kind: str, values: list[str]) -> pl.Series:
    column = catalogue["sha256" if kind == "bytes" else kind]
    if kind in HASHED:
        wanted = set(values)
        values = [text for text in column.drop_nulls().unique() if Line.of(kind, text).value in wanted]
    return column.is_in(values).fill_null(value=False)


def _find_copies(fingerprints: pl.Series, values: list[str]) -> pl.Series:
    is_near = np.zeros(len(fingerprints), np.bool_)
    is_known = fingerprints.is_not_null().to_numpy()
    if is_known.any():
        known = stack_fingerprints(fingerprints.drop_nulls())
        for one in stack_fingerprints(pl.Series([bytes.fromhex(value) for value in values], dtype=pl.Binary)):
            is_near[is_known] |= count_differences(known, one[None]) <= COPY_BITS
    return pl.Series(is_near)


def read_forgotten(path: Path) -> Forgotten:
    """The list at `path`, empty if there is none. Raises CatalogueError naming a line that cannot be understood."""
    lines = set()
    if path.exists():
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise CatalogueError(f"{path} line 1: got {reader.fieldnames}; expected {','.join(COLUMNS)}")
            for row in reader:
                line = Line((row["kind"] or "").strip(), (row["value"] or "").strip().lower())
                where = f"{path} line {reader.line_num}"
                if line.kind not in DIGITS:
                    raise CatalogueError(f"{where}: kind {line.kind!r} is unknown; expected one of {', '.join(DIGITS)}")
                if not re.fullmatch(f"[0-9a-f]{{{DIGITS[line.kind]}}}", line.value):
                    raise CatalogueError(
                        f"{where}: got {line.value!r}; expected {DIGITS[line.kind]} hexadecimal digits"
                    )
                lines.add(line)
    return Forgotten(frozenset(lines))


def write_forgotten(path: Path, lines: Iterable[Line]) -> None:
    """Write a list, sorted, so that equal lists are equal files."""
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((line.kind, line.value) for line in sorted(lines))
