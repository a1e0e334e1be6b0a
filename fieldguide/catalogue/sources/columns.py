"""From a record with columns of any names to rows: the part that tables, databases and collections share."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fieldguide.catalogue.rows import SCHEME, Fill, Row, describe_row, locate, tidy, trim
from fieldguide.catalogue.sources.archives import archive_ending
from fieldguide.catalogue.sources.cells import number_or_nothing, plain, whole_id
from fieldguide.catalogue.sources.left_out import BAD_ROW, LeftOut
from fieldguide.errors import CatalogueError
from fieldguide.params import Section

Record = tuple[int, str, Mapping[str, Any]]
"""Number of a record in its source from 1, `data/observations.jsonl line 812`, cells by column name."""


class Columns(Section):
    """Our name for a column: the source's name for it; null, or left out, where it has none.

    In nested records `taxon.name` is the `name` within `taxon`.
    """

    id: str | None = None
    """Without one, the URL is the id."""
    url: str
    """A URL, a path, or `tar://member::archive.tar`."""
    observation_id: str | None = None
    """Photos that share it may be kept in one split (`split.group_by`)."""
    observer: str | None = None
    """Who took the photo."""
    label: str | None = None
    """The taxon's name."""
    region: str | None = None
    """Null leaves it to `fetch.regions`, by country and coordinates."""
    country: str | None = None
    """As `fetch.regions.countries` writes it; read only to find the region."""
    latitude: str | None = None
    """Degrees north; finds the region, and is kept as coarse as `fetch.cell_degrees`."""
    longitude: str | None = None
    """Degrees east; likewise."""
    date: str | None = None
    """When the photo was taken: 2019-05-12, 2019-05 or 2019, with or without a time. Other dates count as unknown."""
    licence: str | None = None
    """As the source writes it; a name or an address."""
    rights_holder: str | None = None
    """Whom the credits name."""
    given_split: str | None = None
    """The source's own split: train, val or test; `split.given` can honour it."""
    box: str | None = None
    """The box around what the label names: left, top, width, height in px, as a list or a text; for `resize.method`
    bbox."""
    width: str | None = None
    """Of the picture that `box` was drawn on, px: photos may have been shrunk or turned since."""
    height: str | None = None
    """Likewise."""

    @property
    def mapped(self) -> dict[str, str]:
        """The source's name of each column that it has, by ours."""
        return {ours: theirs for ours, theirs in self if theirs is not None}


SPELLED = {"id": whole_id, "observation_id": whole_id, "observer": whole_id} | dict.fromkeys(
    ("latitude", "longitude", "width", "height"), number_or_nothing
)
"""How cells of our columns become plain; those of others by `plain`."""


def rows_of(
    records: Iterable[Record],
    name: str,
    columns: Columns,
    *,
    fill: Fill,
    folder: Path | None,
    left_out: LeftOut,
    explode: str | None = None,
    given_split: str | None = None,
) -> Iterator[Row]:
    """The rows of a source called `name`: one for each record, or for each entry of its list `explode`.

    Entries are mappings, whose cells are then `images.url` and so on, or plain values, then called `images`; an id from
    outside of the list is followed by the entry's number. Paths in URLs start from `folder`, which may be an archive or
    a folder within one; None allows none. `given_split` is that of rows which name none. A record that makes no row
    goes into `left_out`, which names it and the cell.
    """
    mapped = columns.mapped
    for number, where, record in records:
        try:
            entries = list(_entries(record, explode, where))
        except CatalogueError as error:
            left_out.note(BAD_ROW, error)
            continue
        for entry, cells in entries:
            at = f"{where}, {explode}[{entry}]" if explode else where
            source_row = f"{name}:{number}" + (f"[{entry}]" if explode else "")
            try:
                known = {ours: SPELLED.get(ours, plain)(pick(cells, theirs)) for ours, theirs in mapped.items()}
                if given_split is not None and known.get("given_split") in (None, ""):
                    known["given_split"] = given_split
                row_id, url_text = _name_photo(known, mapped, at)
                if row_id and explode and not _lies_in(mapped["id"], explode):
                    row_id = f"{row_id}/{entry}"
                url, root = _locate(url_text, folder, at)
                row = Row(id=row_id or url_text, source_row=source_row, url=url, root=root, **describe_row(known, at))
            except CatalogueError as error:
                left_out.note(BAD_ROW, error)
                continue
            yield fill.complete(row)


def _name_photo(known: Mapping[str, Any], mapped: Mapping[str, str], at: str) -> tuple[str | None, str]:
    """Id, None if the source has no such column, and URL. Raises CatalogueError if either is empty."""
    row_id = tidy(known["id"], f"{at}, id") if "id" in known else None
    url = trim(known["url"], f"{at}, url")
    if url is None or ("id" in known and row_id is None):
        missing = "url" if url is None else "id"
        raise CatalogueError(f"{at}: column {mapped[missing]!r} is empty; expected the photo's {missing}")
    return row_id, url


def _locate(url_text: str, folder: Path | None, at: str) -> tuple[str, str | None]:
    if folder is not None:
        return locate_below(url_text, folder)
    url, root = locate(url_text, Path())
    if root is not None:
        raise CatalogueError(f"{at}: got the path {url_text!r}; expected a URL, or `root` in params.yaml")
    return url, root


def locate_below(text: str, root: Path) -> tuple[str, str | None]:
    """What `locate` gives for a path below `root`: a folder, an archive or a folder in an archive."""
    for archive in (root, *root.parents):
        if (scheme := archive_ending(archive)) and not SCHEME.match(text):
            member = (root.relative_to(archive) / text).as_posix()
            return locate(f"{scheme}://{member}::{archive.name}", archive.parent)
    return locate(text, root)


def pick(cells: Mapping[str, Any], name: str) -> Any:
    """The cell called `name`, or that at the end of the path that it is; None if there is none."""
    if name in cells:
        return cells[name]
    value: Any = cells
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _entries(record: Mapping[str, Any], explode: str | None, where: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if explode is None:
        yield 0, record
        return
    entries = plain(pick(record, explode))
    if entries is None:
        return
    if not isinstance(entries, list | tuple):
        raise CatalogueError(f"{where}, {explode}: got a {type(entries).__name__}; expected a list")
    for number, entry in enumerate(entries):
        cells = {f"{explode}.{name}": value for name, value in entry.items()} if isinstance(entry, Mapping) else {}
        yield number, {**record, **(cells or {explode: entry})}


def _lies_in(name: str, explode: str) -> bool:
    return name == explode or name.startswith(f"{explode}.")
