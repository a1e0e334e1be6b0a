"""Joins tables of any size on disk: a temporary SQLite file, into which rows go by their keys."""

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from fieldguide.errors import CatalogueError

Keyed = tuple[int, Sequence[str | None]]
"""The line that a row stands in, and its cells, the key first."""


@contextmanager
def temporary_database() -> Iterator[sqlite3.Connection]:
    """An empty database that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="fieldguide-") as folder,
        closing(sqlite3.connect(Path(folder) / "tables.sqlite")) as database,
    ):
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        yield database


def store_once(
    database: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterable[Keyed], name: str
) -> None:
    """Create `table` with `columns`, of which the first is the key, and `line`, and fill it with `rows`.

    Raises CatalogueError naming both lines of `name` if a key comes twice.
    """
    key, *others = columns
    database.execute(f"CREATE TABLE {table} ({', '.join((f'{key} TEXT PRIMARY KEY', *others, 'line'))}) WITHOUT ROWID")
    latest: Keyed = (0, ())

    def remembered() -> Iterator[tuple[str | int | None, ...]]:
        nonlocal latest
        for latest in rows:
            line, cells = latest
            yield *cells, line

    try:
        database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * (len(columns) + 1))})", remembered())
    except sqlite3.IntegrityError:
        line, cells = latest
        first = database.execute(f"SELECT line FROM {table} WHERE {key} = ?", cells[:1]).fetchone()
        raise CatalogueError(
            f"{name}: lines {first[0] if first else '?'} and {line} have the same {key} {cells[0]!r}; "
            "expected every one once"
        ) from None
