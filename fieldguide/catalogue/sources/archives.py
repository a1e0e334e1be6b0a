"""Archives of photos: which files are some, and what is in them."""

import tarfile
import zipfile
from pathlib import Path
from typing import Self

from fieldguide.catalogue.sources.reading import reading, unpacked_limit
from fieldguide.errors import CatalogueError

ARCHIVES = {".tar": "tar", ".tgz": "tar", ".tar.gz": "tar", ".zip": "zip"}
"""Endings of roots that are archives, and the scheme of URLs into them."""


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


def list_members(archive: Path, scheme: str) -> list[str]:
    """Names of all files in an archive, in its order; folders, links and devices are none.

    Raises CatalogueError, naming the archive and the last member before, if it is damaged or unpacks to more than
    `unpacked_limit`.
    """
    names: list[str] = []

    def place() -> str:
        return f"{archive}, after member {names[-1]!r}," if names else str(archive)

    with reading(place):
        if scheme == "zip":
            with zipfile.ZipFile(archive) as opened:
                return [entry.filename for entry in opened.infolist() if not entry.is_dir()]
        limit = unpacked_limit(archive)
        with tarfile.open(archive, tarinfo=StrictHeader) as opened_tar:
            for entry in opened_tar:
                # Headers say it before the bytes are unpacked.
                if (end := entry.offset_data + entry.size) > limit:
                    raise CatalogueError(
                        f"{archive}: member {entry.name!r} ends at byte {end}; expected at most {limit} of such a file"
                    )
                if entry.isreg():
                    names.append(entry.name)
    return names


class StrictHeader(tarfile.TarInfo):
    """A member's header; a damaged one raises ReadError, where tarfile takes it for the end of the archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        """The next header of an open archive."""
        place = archive.offset
        try:
            return super().fromtarfile(archive)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError, tarfile.SubsequentHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"no header at byte {place}: {error}") from None
