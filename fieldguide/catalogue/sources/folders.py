"""The `folders` kind: one or more trees of `Species name/*.jpg`, in folders or archives, merged."""

import logging
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from fieldguide.catalogue.rows import DESCRIPTIVE, Fill, Row, describe_row
from fieldguide.errors import CatalogueError
from fieldguide.params import Section

log = logging.getLogger(__name__)

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"})
ARCHIVES = {".tar": "tar", ".tgz": "tar", ".tar.gz": "tar", ".zip": "zip"}
"""Endings of roots that are archives, and the scheme of URLs into them."""
SPECIES_FOLDERS = r"(?P<label>[^/]+)/[^/]+"


class FoldersSource(Section):
    """Trees of photos whose paths say what they are."""

    kind: Literal["folders"]
    """`folders`."""
    roots: tuple[Path, ...]
    """Folders, or .tar, .tar.gz and .zip files of them. Add new roots at the end: photos of a further root are named by
    its number and their path."""
    pattern: str | None
    """A regular expression for the whole path below a root, `/` between folders; its named groups are catalogue
    columns. Null means `Species name/file`. Files that do not match are left out and counted in the log."""
    fill: Fill
    """Values for photos about which the source itself says nothing."""

    @field_validator("pattern")
    @classmethod
    def _check_pattern(cls, pattern: str | None) -> str | None:
        try:
            groups = re.compile(pattern or "").groupindex
        except re.error as error:
            raise ValueError(f"not a regular expression ({error})") from None
        if unknown := sorted(groups.keys() - set(DESCRIPTIVE)):
            raise ValueError(f"group {unknown[0]!r} is unknown; expected one of {', '.join(DESCRIPTIVE)}")
        return pattern

    def rows(self) -> Iterator[Row]:
        """The photos of every root in turn, in the order of their paths."""
        pattern = re.compile(self.pattern or SPECIES_FOLDERS)
        for number, root in enumerate(self.roots):
            scheme = archive_scheme(root)
            prefix = f"{number}:" if number else ""
            num_found, unmatched = 0, []
            found = list_archive(root, scheme) if scheme else ((path, path) for path in walk_photos(root))
            for path, member in found:
                match = pattern.fullmatch(path)
                if match is None:
                    unmatched.append(path)
                    continue
                num_found += 1
                url, inside = (f"{scheme}://{member}::{root}", root.parent) if scheme else (f"file:{root / path}", root)
                described = describe_row(match.groupdict(), f"{root / path}")
                yield self.fill.complete(Row(id=prefix + path, source_row=path, url=url, root=str(inside), **described))
            if not num_found:
                hint = f"; {unmatched[0]!r} does not match {pattern.pattern!r}" if unmatched else ""
                raise CatalogueError(f"{root}: no photo found{hint}")
            if unmatched:
                log.warning("%s: left out %d files that do not match, as %s", root, len(unmatched), unmatched[0])


def archive_scheme(root: Path) -> str | None:
    """`tar` or `zip` if `root` is such a file, None if it is a folder. Raises CatalogueError if it is neither."""
    if root.is_dir():
        return None
    scheme = archive_ending(root)
    if scheme is None or not root.is_file():
        raise CatalogueError(f"{root} is not a folder, .tar, .tar.gz or .zip; expected a tree of photos")
    return scheme


def archive_ending(path: Path) -> str | None:
    """`tar` or `zip` if a file of this name is such an archive, whether or not there is one."""
    return next((scheme for ending, scheme in ARCHIVES.items() if path.name.lower().endswith(ending)), None)


def list_archive(archive: Path, scheme: str) -> list[tuple[str, str]]:
    """Path, sorted, and name of an archive's members with a photo's suffix. Raises CatalogueError if it cannot be read.

    The two differ where the name begins with `./`, as tar's do.
    """
    names = list_members(archive, scheme)
    return sorted({name.removeprefix("./"): name for name in _photo_names(names, archive)}.items())


def list_members(archive: Path, scheme: str) -> list[str]:
    """Names of all files in an archive, in its order. Raises CatalogueError if it cannot be read."""
    try:
        if scheme == "zip":
            with zipfile.ZipFile(archive) as opened:
                return [entry.filename for entry in opened.infolist() if not entry.is_dir()]
        with tarfile.open(archive) as opened_tar:
            return [entry.name for entry in opened_tar if entry.isreg()]
    except (OSError, tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise CatalogueError(f"{archive} cannot be read: {error}") from None


def walk_photos(root: Path) -> Iterator[str]:
    """Paths below `root` of files with a photo's suffix, sorted within each folder; dot files are not photos.

    Raises CatalogueError on a name that is not UTF-8.
    """
    for folder, subfolders, names in os.walk(root):
        subfolders.sort()
        paths = ((Path(folder) / name).relative_to(root).as_posix() for name in sorted(names))
        yield from _photo_names(paths, root)


def _photo_names(paths: Iterable[str], root: Path) -> Iterator[str]:
    for path in paths:
        name = Path(path)
        if name.name.startswith(".") or name.suffix.lower() not in SUFFIXES:
            continue
        try:
            path.encode()
        except UnicodeEncodeError:
            raise CatalogueError(f"{root}: the file name {path!a} is not UTF-8") from None
        yield path
