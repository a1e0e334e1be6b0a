"""Streams tables of any of the usual formats as mappings, naming file and line of what it cannot read."""

import csv
import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from fieldguide.errors import CatalogueError

MAX_LINE_BYTES = 4 * 2**20
BATCH_ROWS = 4096

TableRow = tuple[int, str, dict[str, Any]]
"""Line (or row) number from 1, `data/observations.jsonl line 812`, cells by column name."""


def read_table(path: Path, columns: set[str]) -> Iterator[TableRow]:
    """Yield the rows of a table, with at least those of `columns` that it has.

    Raises CatalogueError if the file is missing or broken, or if it has no such column at all.
    """
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    reader = READERS.get(suffix.lower())
    if reader is None:
        raise CatalogueError(f"{path}: a table of type {suffix or 'unknown'!r}; expected one of {', '.join(READERS)}")
    try:
        yield from reader(path, columns)
    except FileNotFoundError:
        raise CatalogueError(f"{path} is missing") from None
    except (IsADirectoryError, PermissionError, gzip.BadGzipFile, EOFError, pa.ArrowInvalid) as error:
        raise CatalogueError(f"{path} cannot be read: {' '.join(str(error).split())}") from None


def _read_jsonl(path: Path, columns: set[str]) -> Iterator[TableRow]:
    seen: set[str] = set()
    with open_bytes(path) as stream:
        for number, line in numbered_lines(stream, str(path)):
            where = f"{path} line {number}"
            if not line.strip():
                continue
            try:
                cells = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise CatalogueError(f"{where}: not valid JSON ({error}); expected one object per line") from None
            if not isinstance(cells, dict):
                raise CatalogueError(f"{where}: got a {type(cells).__name__}; expected one object per line")
            if len(seen) < len(columns):
                seen |= {column for column in columns if column in cells or _top_level(column) in cells}
            yield number, where, cells
    # Rows may leave a column out, but a column that no row has is a typo in params.yaml.
    if missing := sorted(columns - seen):
        raise CatalogueError(f"{path}: no row has a column {missing[0]!r}; see `columns` in params.yaml")


def _read_csv(path: Path, columns: set[str]) -> Iterator[TableRow]:
    with open_bytes(path) as stream:
        lines = (line for _, line in numbered_lines(stream, str(path)))
        header = next(lines, "")
        delimiter = max(",;\t", key=header.count)
        names = next(csv.reader([header], delimiter=delimiter), [])
        _check_columns(path, columns, names)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if not cells:
                    continue
                number = reader.line_num + 1
                where = f"{path} line {number}"
                if len(cells) != len(names):
                    raise CatalogueError(f"{where}: {len(cells)} fields; expected {len(names)}, as in the header")
                yield number, where, dict(zip(names, cells, strict=True))
        except csv.Error as error:
            raise CatalogueError(f"{path} line {reader.line_num + 1}: {error}") from None


def _read_parquet(path: Path, columns: set[str]) -> Iterator[TableRow]:
    with pq.ParquetFile(path) as table:
        names = table.schema_arrow.names
        wanted = {column if column in names else _top_level(column) for column in columns}
        _check_columns(path, wanted, names)
        number = 0
        for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=sorted(wanted)):
            for cells in batch.to_pylist():
                number += 1
                yield number, f"{path} row {number}", cells


def read_unquoted(stream: IO[bytes], path: Path, columns: Iterable[str]) -> Iterator[TableRow]:
    """Yield `columns` of a tab-separated text without quoting, below its header; an empty cell is None.

    Raises CatalogueError on a missing column and on a line that is too short. A longer one is read as far as the header
    goes: nothing can quote a stray tab, and published tables hold some.
    """
    lines = numbered_lines(stream, str(path))
    names = next(lines, (0, ""))[1].rstrip("\r\n").split("\t")
    _check_columns(path, set(columns), names)
    places = [(name, names.index(name)) for name in columns]
    for number, line in lines:
        cells = line.rstrip("\r\n").split("\t")
        where = f"{path} line {number}"
        if len(cells) < len(names):
            raise CatalogueError(f"{where}: {len(cells)} fields; expected {len(names)}, as in the header")
        yield number, where, {name: cells[place].strip() or None for name, place in places}


def numbered_lines(stream: IO[bytes], name: str) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 text with their numbers from 1.

    Raises CatalogueError on one that is too long or not UTF-8.
    """
    for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE_BYTES + 1), b""), start=1):
        if len(line) > MAX_LINE_BYTES:
            raise CatalogueError(f"{name} line {number}: longer than {MAX_LINE_BYTES} bytes")
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise CatalogueError(f"{name} line {number}: not valid UTF-8 ({error.reason})") from None


def _check_columns(path: Path, columns: set[str], names: list[str]) -> None:
    if missing := sorted(columns - set(names)):
        raise CatalogueError(f"{path}: no column {missing[0]!r}; it has {', '.join(map(repr, names))}")


def _top_level(column: str) -> str:
    """The column in which a nested one (`taxon.name`) lies."""
    return column.partition(".")[0]


def open_bytes(path: Path) -> IO[bytes]:
    """A file's bytes, unpacked if it is a .gz."""
    # GzipFile is a buffered binary stream, though not typed as IO.
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


READERS: dict[str, Callable[[Path, set[str]], Iterator[TableRow]]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
}
