"""The photos that are asked about: files, folders, archives, and tables that name files.

A photo is called what a user would call it: `nature/tulip.jpg`, `trip.zip/tulip.jpg`.
"""

import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from fieldguide.catalogue.rows import SCHEME
from fieldguide.catalogue.sources.archives import StrictHeader, archive_ending, list_members
from fieldguide.catalogue.sources.left_out import LeftOut
from fieldguide.catalogue.sources.reading import reading
from fieldguide.catalogue.sources.tables import READERS, read_table
from fieldguide.catalogue.sources.walking import walk_photos, why_no_photo
from fieldguide.errors import CatalogueError
from fieldguide.survey.headings import match_headings
from fieldguide.survey.tables import sample_table

MAX_BYTES = 256 * 2**20
"""Of a photo's file."""


class LabelSource(StrEnum):
    """Where the true name of a photo stands."""

    COLUMN = "column"
    """In the table that names its file."""
    FOLDER = "folder"
    """It is the name of the folder that it lies in."""


@dataclass(frozen=True)
class PhotoFile:
    """A photo that can be read."""

    name: str
    path: Path
    """Of its file, or of the archive that it lies in."""
    member: str | None = None
    """Its name in that archive."""
    label: str | None = None
    """What it is said to show."""


def list_photos(
    inputs: Sequence[Path], labels: LabelSource | None, column: str | None, left_out: LeftOut
) -> list[PhotoFile]:
    """Every photo that `inputs` mean, in their order; what is no photo by its name goes into `left_out`.

    A file that is named itself always counts as one. `column` is the column of tables that names the files, found by
    its heading if None. Raises CatalogueError if an input is missing or cannot be read.
    """
    return [photo for path in inputs for photo in _list_input(path, labels, column, left_out)]


def _list_input(path: Path, labels: LabelSource | None, column: str | None, left_out: LeftOut) -> Iterator[PhotoFile]:
    if path.is_dir():
        for below in walk_photos(path, left_out):
            yield PhotoFile(str(path / below), path / below, label=_folder_label(path / below, labels))
    elif not path.is_file():
        raise CatalogueError(f"{path} is missing; expected a photo, a folder, an archive or a table of photos")
    elif scheme := archive_ending(path):
        for member in list_members(path, scheme):
            if reason := why_no_photo(member):
                left_out.note(reason, f"{path}/{member}")
            else:
                inside = PurePosixPath(path.name, member)
                yield PhotoFile(f"{path}/{member}", path, member, _folder_label(inside, labels))
    elif path.suffix.lower() in READERS:
        yield from _list_rows(path, labels, column)
    else:
        yield PhotoFile(str(path), path, label=_folder_label(path.absolute(), labels))


def _folder_label(path: Path | PurePosixPath, labels: LabelSource | None) -> str | None:
    return path.parent.name if labels is LabelSource.FOLDER else None


def _list_rows(table: Path, labels: LabelSource | None, column: str | None) -> Iterator[PhotoFile]:
    found = match_headings(sample_table(table).columns)
    file_column, label_column = column or found.get("url"), found.get("label")
    if file_column is None:
        raise CatalogueError(f"{table}: no column names files; say which does with --column")
    if labels is LabelSource.COLUMN and label_column is None:
        raise CatalogueError(f"{table}: no column looks like labels; expected one called species, label or the like")
    wanted = {file_column} | ({label_column} if labels is LabelSource.COLUMN and label_column else set())
    for _, where, cells in read_table(table, wanted):
        file = str(cells.get(file_column) or "")
        if not file:
            raise CatalogueError(f"{where}: {file_column} is empty; expected the path of a photo")
        if SCHEME.match(file):
            raise CatalogueError(f"{where}: {file} is an address; expected the path of a file, as nothing is fetched")
        path = table.parent / file
        said = str(cells.get(label_column) or "") if label_column and labels is LabelSource.COLUMN else ""
        yield PhotoFile(file, path, label=said or _folder_label(path, labels))


def read_photos(photos: Sequence[PhotoFile]) -> Iterator[tuple[PhotoFile, bytes | str]]:
    """Each photo with its bytes, or with what is wrong with it; archives are read from front to back."""
    start = 0
    while start < len(photos):
        first = photos[start]
        end = start + 1
        if first.member is None:
            yield first, _read_file(first.path)
        else:
            while end < len(photos) and photos[end].path == first.path and photos[end].member is not None:
                end += 1
            yield from _read_members(first.path, photos[start:end])
        start = end


def _read_file(path: Path) -> bytes | str:
    try:
        if path.stat().st_size > MAX_BYTES:
            return f"file of {path.stat().st_size} bytes; expected at most {MAX_BYTES}"
        return path.read_bytes()
    except OSError as error:
        return error.strerror or str(error)


def _read_members(archive: Path, photos: Sequence[PhotoFile]) -> Iterator[tuple[PhotoFile, bytes | str]]:
    with reading(str(archive)):
        if archive_ending(archive) == "zip":
            with zipfile.ZipFile(archive) as opened:
                for photo in photos:
                    yield photo, _read_zipped(opened, photo.member or "")
            return
        waiting = list(reversed(photos))
        with tarfile.open(archive, tarinfo=StrictHeader) as opened_tar:
            for entry in opened_tar:
                if waiting and entry.isreg() and entry.name == waiting[-1].member:
                    stream = opened_tar.extractfile(entry)
                    is_small = entry.size <= MAX_BYTES and not entry.issparse()
                    content = stream.read() if stream and is_small else f"member of {entry.size} bytes"
                    yield waiting.pop(), content


def _read_zipped(archive: zipfile.ZipFile, member: str) -> bytes | str:
    try:
        with archive.open(member) as stream:
            content = stream.read(MAX_BYTES + 1)
    except Exception as error:  # the methods of packing each raise their own
        return f"cannot be unpacked: {str(error) or type(error).__name__}"
    return content if len(content) <= MAX_BYTES else f"member of more than {MAX_BYTES} bytes"
