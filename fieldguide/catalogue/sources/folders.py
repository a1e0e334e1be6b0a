"""The `folders` kind: one or more trees of `Species name/*.jpg`, merged."""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from fieldguide.catalogue.rows import DESCRIPTIVE, Fill, Row, describe_row
from fieldguide.errors import CatalogueError
from fieldguide.params import Section

log = logging.getLogger(__name__)

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"})
SPECIES_FOLDERS = r"(?P<label>[^/]+)/[^/]+"


class FoldersSource(Section):
    """Trees of photos whose paths say what they are."""

    kind: Literal["folders"]
    roots: tuple[Path, ...]
    """Add new roots at the end: photos of a further root are named by its number and their path."""
    pattern: str | None
    """A regular expression for the whole path below a root, `/` between folders; its named groups are catalogue
    columns. Null means `Species name/file`. Files that do not match are left out and counted in the log."""
    fill: Fill

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
            if not root.is_dir():
                raise CatalogueError(f"{root} is not a folder; expected a tree of photos")
            prefix = f"{number}:" if number else ""
            num_found, unmatched = 0, []
            for path in walk_photos(root):
                match = pattern.fullmatch(path)
                if match is None:
                    unmatched.append(path)
                    continue
                num_found += 1
                described = describe_row(match.groupdict(), f"{root / path}")
                yield self.fill.complete(
                    Row(id=prefix + path, source_row=path, url=f"file:{root / path}", root=str(root), **described)
                )
            if not num_found:
                hint = f"; {unmatched[0]!r} does not match {pattern.pattern!r}" if unmatched else ""
                raise CatalogueError(f"{root}: no photo found{hint}")
            if unmatched:
                log.warning("%s: left out %d files that do not match, as %s", root, len(unmatched), unmatched[0])


def walk_photos(root: Path) -> Iterator[str]:
    """Paths below `root` of files with a photo's suffix, sorted within each folder; dot files are not photos.

    Raises CatalogueError on a name that is not UTF-8.
    """
    for folder, subfolders, names in os.walk(root):
        subfolders.sort()
        for name in sorted(names):
            if name.startswith(".") or Path(name).suffix.lower() not in SUFFIXES:
                continue
            path = (Path(folder) / name).relative_to(root).as_posix()
            try:
                path.encode()
            except UnicodeEncodeError:
                raise CatalogueError(f"{root}: the file name {path!a} is not UTF-8") from None
            yield path
