"""From a table of photos to the section of an `observations` source: columns, list of photos, where paths start."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow.parquet as pq

from fieldguide.catalogue.rows import SCHEME
from fieldguide.catalogue.sources.archives import archive_ending, list_members
from fieldguide.catalogue.sources.left_out import LeftOut
from fieldguide.catalogue.sources.reading import reading
from fieldguide.catalogue.sources.tables import read_table
from fieldguide.errors import CatalogueError
from fieldguide.survey.headings import match_headings

SAMPLED_ROWS = 500
MOST_FOLDERS = 200


@dataclass(frozen=True)
class TableSample:
    """What stands in the columns of a table's first rows, without empty cells."""

    columns: dict[str, list[Any]]
    """By name; nested ones are called `taxon.name`."""
    lists: dict[str, str]
    """Of the columns above, those that lie in a list: the list's own name."""


def sample_table(path: Path) -> TableSample:
    """Read the first rows of a table. Raises CatalogueError if it cannot be read or holds none."""
    columns: defaultdict[str, list[Any]] = defaultdict(list)
    lists: dict[str, str] = {}
    left_out = LeftOut()
    for _, _, cells in islice(read_table(path, _parquet_columns(path), left_out), SAMPLED_ROWS):
        for name, listed, value in _flatten(cells):
            if value is not None and value != "":
                columns[name].append(value)
            if listed:
                lists[name] = listed
    if not columns:
        raise CatalogueError(f"{path} holds no rows" + (f"; left out {left_out}" if left_out.total else ""))
    return TableSample(dict(columns), lists)


def _parquet_columns(path: Path) -> set[str]:
    """Only a Parquet file must be told which columns are wanted."""
    with reading(str(path)):
        return set(pq.read_schema(path).names) if path.suffix == ".parquet" else set()


def _flatten(cells: Mapping[str, Any], prefix: str = "", listed: str = "") -> Iterator[tuple[str, str, Any]]:
    """Name, list that it lies in, value of each cell, down to the entries of the first list on the way."""
    for key, value in cells.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{name}.", listed)
        elif isinstance(value, list) and not listed:
            for entry in value:
                if isinstance(entry, Mapping):
                    yield from _flatten(entry, f"{name}.", name)
                else:
                    yield name, name, entry
        else:
            yield name, listed, value


@dataclass(frozen=True)
class TableLayout:
    """How a table is to be read."""

    columns: dict[str, str | None]
    """Ours: theirs."""
    explode: str | None
    root: Path | None
    is_remote: bool
    """Whether all sampled photos are URLs."""


def find_table_layout(path: Path, given: Sequence[Path]) -> TableLayout:
    """Find the columns of a table and, among `given` folders and archives and its own folder, where its paths start.

    Raises CatalogueError if no column holds photos, if all columns lie in other lists than they, or if no sampled file
    is found.
    """
    sample = sample_table(path)
    columns = match_headings(sample.columns)
    url = columns["url"]
    if url is None:
        shown = ", ".join(f"{name!r} ({str(cells[0])[:40]!r})" for name, cells in sample.columns.items())
        raise CatalogueError(
            f"{path}: no column holds URLs or file names that end in .jpg and the like; it has {shown}"
        )
    explode = sample.lists.get(url)
    columns = {
        ours: name if sample.lists.get(name or "") in (None, explode) else None for ours, name in columns.items()
    }
    paths = [text for text in sample.columns[url] if not SCHEME.match(text)]
    root = _find_root(path, paths, given) if paths else None
    return TableLayout(columns, explode, root, is_remote=not paths)


def _find_root(table: Path, paths: Sequence[str], given: Sequence[Path]) -> Path | None:
    """Where most of `paths` are found; None is the table's own folder."""
    counts = {place: count for root in (*given, table.parent) for place, count in _count_found(root, paths) if count}
    if not counts:
        looked = ", ".join(dict.fromkeys(map(str, [*given, table.parent])))
        raise CatalogueError(
            f"{table}: none of {len(paths)} sampled photos, such as {paths[0]!r}, is found in {looked}"
        )
    best = max(counts, key=counts.__getitem__)
    return None if best == table.parent else best


def _count_found(root: Path, paths: Sequence[str]) -> Iterator[tuple[Path, int]]:
    """How many of `paths` start from `root`, and from each folder in it; all folders of an archive."""
    scheme = archive_ending(root) if root.is_file() else None
    if scheme:
        members = {name.removeprefix("./") for name in list_members(root, scheme)}
        holding = {PurePosixPath(name).parent for name in members}
        folders = holding | {above for folder in holding for above in folder.parents}
        for folder in sorted(folders)[:MOST_FOLDERS]:
            yield root / folder, sum((folder / path).as_posix() in members for path in paths)
    elif root.is_dir():
        subfolders = sorted(entry for entry in root.iterdir() if entry.is_dir())
        for place in (root, *subfolders[:MOST_FOLDERS]):
            yield place, sum((place / path).is_file() for path in paths)
