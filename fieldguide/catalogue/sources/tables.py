"""Streams tables of any of the usual formats as mappings, naming file and line of what it cannot read."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

import pyarrow.parquet as pq

from fieldguide.catalogue.sources.left_out import BAD_ROW, LeftOut
from fieldguide.catalogue.sources.reading import open_bytes, reading
from fieldguide.errors import CatalogueError

MAX_LINE_BYTES = 4 * 2**20
BATCH_ROWS = 4096
DELIMITERS = ",;\t|"
DELIMITER_HINT = re.compile(r"sep=(.)\s*", re.IGNORECASE)
"""The line by which Excel is told; it stands above the header."""

TableRow = tuple[int, str, dict[str, Any]]
"""Line (or row) number from 1, `data/observations.jsonl line 812`, cells by column name."""


def read_table(path: Path, columns: set[str], left_out: LeftOut | None = None) -> Iterator[TableRow]:
    """Yield the rows of a table, with at least those of `columns` that it has; rows that are none go into `left_out`.

    Raises CatalogueError if the file is missing or broken, if it has no such column at all, or one of them twice.
    """
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    reader = READERS.get(suffix.lower())
    if reader is None:
        raise CatalogueError(f"{path}: a table of type {suffix or 'unknown'!r}; expected one of {', '.join(READERS)}")
    with reading(str(path)):
        yield from reader(path, columns, left_out or LeftOut())


def _read_jsonl(path: Path, columns: set[str], left_out: LeftOut) -> Iterator[TableRow]:
    unseen, num_rows = set(columns), 0
    with open_bytes(path) as stream:
        for number, line in numbered_lines(stream, str(path)):
            where = f"{path} line {number}"
            if not line.strip():
                continue
            try:
                cells = json.loads(line, object_pairs_hook=_once_each)
            except (ValueError, RecursionError) as error:
                left_out.note(BAD_ROW, f"{where}: not valid JSON ({error}); expected one object per line")
                continue
            if not isinstance(cells, dict):
                left_out.note(BAD_ROW, f"{where}: got a {type(cells).__name__}; expected one object per line")
                continue
            if unseen:
                unseen -= {column for column in unseen if column in cells or _top_level(column) in cells}
            num_rows += 1
            yield number, where, cells
    # Rows may leave a column out, but a column that no row has is a typo in params.yaml.
    if unseen and num_rows:
        raise CatalogueError(f"{path}: no row has a column {min(unseen)!r}; see `columns` in params.yaml")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    cells = dict(pairs)
    if len(cells) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands in it twice")
    return cells


def _read_csv(path: Path, columns: set[str], left_out: LeftOut) -> Iterator[TableRow]:
    with open_bytes(path) as stream:
        lines = numbered_lines(stream, str(path))
        first = next(lines, (1, ""))
        hint = DELIMITER_HINT.fullmatch(first[1])
        if "\r" in first[1].rstrip("\r\n"):
            raise CatalogueError(f"{path} line 1: lines end in CR alone; expected LF or CR and LF")
        delimiter = hint[1] if hint else max(DELIMITERS, key=first[1].count)
        records = read_records(lines if hint else chain([first], lines), str(path), left_out, delimiter=delimiter)
        _, names = next(records, (0, []))
        check_columns(path, columns, names)
        for number, cells in records:
            where = f"{path} line {number}"
            # Spreadsheets end lines in empty fields that have no heading.
            if len(cells) > len(names) and not any(cells[len(names) :]):
                del cells[len(names) :]
            if len(cells) != len(names):
                left_out.note(BAD_ROW, f"{where}: {len(cells)} fields; expected {len(names)}, as in the header")
                continue
            yield number, where, dict(zip(names, cells, strict=True))


def _read_parquet(path: Path, columns: set[str], left_out: LeftOut) -> Iterator[TableRow]:
    with pq.ParquetFile(path, page_checksum_verification=True) as table:
        names = table.schema_arrow.names
        wanted = {column if column in names else _top_level(column) for column in columns}
        check_columns(path, wanted, names)
        number = 0
        with reading(lambda: f"{path} row {number + 1}"):
            for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=sorted(wanted)):
                for cells in batch.to_pylist():
                    number += 1
                    yield number, f"{path} row {number}", cells


def read_records(
    lines: Iterable[tuple[int, str]], name: str, left_out: LeftOut, *, delimiter: str, quote: str = '"'
) -> Iterator[tuple[int, list[str]]]:
    """Number of the last line, and cells, of each record of a text with quoted fields; empty lines are none.

    A record with a misplaced quote goes into `left_out`. Raises CatalogueError where a quote is not closed in its line
    and nobody knows any more where rows begin.
    """
    latest = 0

    def texts() -> Iterator[str]:
        nonlocal latest
        for number, text in lines:
            latest = number
            yield text

    reader = csv.reader(texts(), delimiter=delimiter, quotechar=quote, strict=True)
    while True:
        begun = latest + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if latest > begun:
                raise CatalogueError(f"{name} line {begun}: a quote is not closed in its line ({error})") from None
            left_out.note(BAD_ROW, f"{name} line {begun}: {error}")
            continue
        if cells is None:
            return
        if cells:
            yield latest, cells


def read_unquoted(
    stream: IO[bytes], path: Path, columns: Sequence[str], left_out: LeftOut
) -> Iterator[tuple[int, str, dict[str, str | None]]]:
    """Yield `columns` of a tab-separated text without quoting, below its header; an empty cell is None.

    A line that is too short goes into `left_out`. A longer one is read as far as the header goes: nothing can quote a
    stray tab, and published tables hold some. Raises CatalogueError on a column that is missing or comes twice.
    """
    lines = numbered_lines(stream, str(path))
    names = next(lines, (0, ""))[1].rstrip("\r\n").split("\t")
    check_columns(path, set(columns), names)
    places = [(name, names.index(name)) for name in columns]
    for number, line in lines:
        cells = line.rstrip("\r\n").split("\t")
        where = f"{path} line {number}"
        if len(cells) < len(names):
            left_out.note(BAD_ROW, f"{where}: {len(cells)} fields; expected {len(names)}, as in the header")
            continue
        yield number, where, {name: cells[place].strip() or None for name, place in places}


def numbered_lines(stream: IO[bytes], name: str, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers from 1; a byte order mark of UTF-8 is no part of them.

    Raises CatalogueError naming the line that is too long, not in `encoding` or cannot be unpacked.
    """
    number = 0
    with reading(lambda: f"{name} line {number + 1}"):
        for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE_BYTES + 1), b""), start=1):
            if len(line) > MAX_LINE_BYTES:
                raise CatalogueError(f"{name} line {number}: longer than {MAX_LINE_BYTES} bytes")
            try:
                text = line.decode("utf-8-sig" if number == 1 and encoding == "utf-8" else encoding)
            except UnicodeDecodeError as error:
                raise CatalogueError(f"{name} line {number}: not valid {encoding.upper()} ({error.reason})") from None
            yield number, text


def check_columns(path: Path | str, columns: set[str], names: Sequence[str]) -> None:
    """Raise CatalogueError if a table lacks one of `columns`, or has one twice: which would count?"""
    if missing := sorted(columns - set(names)):
        raise CatalogueError(f"{path}: no column {missing[0]!r}; it has {', '.join(map(repr, names))}")
    for column in sorted(columns):
        places = [str(place) for place, name in enumerate(names, start=1) if name == column]
        if len(places) > 1:
            raise CatalogueError(f"{path}: columns {' and '.join(places)} are both called {column!r}; expected one")


def _top_level(column: str) -> str:
    """The column in which a nested one (`taxon.name`) lies."""
    return column.partition(".")[0]


READERS: dict[str, Callable[[Path, set[str], LeftOut], Iterator[TableRow]]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
}
