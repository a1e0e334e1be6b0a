"""The `folders` kind: one or more trees of `Species name/*.jpg`, in folders or archives, merged."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from fieldguide.catalogue.rows import DESCRIPTIVE, NO_FILL, Fill, Row, describe_row
from fieldguide.catalogue.sources.archives import archive_scheme, list_members
from fieldguide.catalogue.sources.left_out import BAD_ROW, LeftOut
from fieldguide.catalogue.sources.walking import pick_photos, walk_photos
from fieldguide.errors import CatalogueError
from fieldguide.params import Section

SPECIES_FOLDERS = r"(?P<label>[^/]+)/[^/]+"


class FoldersSource(Section):
    """Trees of photos whose paths say what they are."""

    kind: Literal["folders"]
    """`folders`."""
    roots: tuple[Path, ...]
    """Folders, or .tar, .tar.gz and .zip files of them. Add new roots at the end: photos of a further root are named by
    its number and their path."""
    pattern: str | None = None
    """A regular expression for the whole path below a root, `/` between folders; its named groups are catalogue
    columns. Null means `Species name/file`. Files that do not match are left out and counted in the log."""
    fill: Fill = NO_FILL
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
        for number, root in enumerate(self.roots):
            left_out = LeftOut()
            yield from left_out.report(self._rows_below(root, f"{number}:" if number else "", left_out), str(root))

    def _rows_below(self, root: Path, prefix: str, left_out: LeftOut) -> Iterator[Row]:
        pattern = re.compile(self.pattern or SPECIES_FOLDERS)
        scheme = archive_scheme(root)
        found = (
            list_archive(root, scheme, left_out) if scheme else ((path, path) for path in walk_photos(root, left_out))
        )
        for path, member in found:
            match = pattern.fullmatch(path)
            if match is None:
                left_out.note(f"photo that does not match {pattern.pattern!r}", root / path)
                continue
            url, inside = (f"{scheme}://{member}::{root}", root.parent) if scheme else (f"file:{root / path}", root)
            try:
                described = describe_row(match.groupdict(), f"{root / path}")
            except CatalogueError as error:
                left_out.note(BAD_ROW, error)
                continue
            yield self.fill.complete(Row(id=prefix + path, source_row=path, url=url, root=str(inside), **described))


def list_archive(archive: Path, scheme: str, left_out: LeftOut) -> list[tuple[str, str]]:
    """Path, sorted, and name of an archive's photos. Raises CatalogueError if it cannot be read.

    The two differ where the name begins with `./`, as tar's do, or has `\\` between folders, as zips of Windows have.
    """
    names = {_member_path(name, scheme): name for name in list_members(archive, scheme)}
    return [(path, names[path]) for path in sorted(pick_photos(names, archive, left_out))]


def _member_path(name: str, scheme: str) -> str:
    return (name.replace("\\", "/") if scheme == "zip" else name).removeprefix("./")
