"""Reads what needs no request over HTTP: files, members of archives, and objects of stores.

Each reader gives an `Outcome`, as a download does.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fieldguide.catalogue.rows import ARCHIVE_MEMBER
from fieldguide.catalogue.schema import Status
from fieldguide.errors import FieldguideError
from fieldguide.fetch.archives import read_member
from fieldguide.fetch.outcomes import Outcome, bounded
from fieldguide.fetch.stores import STORES, Access, read_object

ALLOWED: Final = ("http", "https", "file", "tar", "zip", *STORES)
NO_BUCKETS: Final[Mapping[str, Access]] = {}
_ELSEWHERE: Final = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]*://")


class OutsideRootError(Exception):
    """A path leads out of the source's root."""


def local_file(url: str) -> Path | None:
    """The file on this machine that a `file:`, `tar:` or `zip:` URL is read from; None for any other URL."""
    if match := ARCHIVE_MEMBER.fullmatch(url):
        return Path(match["archive"])
    return Path(url.removeprefix("file:")) if url.startswith("file:") else None


def read_unsent(url: str, root: str | None, max_bytes: int, buckets: Mapping[str, Access] = NO_BUCKETS) -> Outcome:
    """The outcome of a URL that is not http(s). Raises CatalogueError if a store's package is not installed."""
    scheme = url.partition(":")[0].lower()
    if scheme in STORES:
        return read_object(url, buckets, max_bytes)
    path = local_file(url)
    if path is None:
        return Outcome(Status.REFUSED, error=f"scheme {scheme!r}; expected one of {', '.join(ALLOWED)}")
    member = ARCHIVE_MEMBER.fullmatch(url)
    if member and _ELSEWHERE.match(member["archive"]):
        return Outcome(Status.REFUSED, error="an archive behind a URL or in an archive; expected tar://MEMBER::PATH")
    if "\0" in url:
        return Outcome(Status.INVALID_URL, error=f"{url!a}: a path cannot hold NUL")
    try:
        inside = confined(path, root)
        if member:
            return read_member(member["scheme"], inside, member["member"], max_bytes)
        return _read_file(inside, max_bytes)
    except OutsideRootError as error:
        return Outcome(Status.REFUSED, error=str(error))
    except (FileNotFoundError, NotADirectoryError):
        hint = "; expected / between folders" if "\\" in str(path) else ""
        return Outcome(Status.MISSING, error=f"{path} does not exist{hint}")
    except FieldguideError:
        raise
    except Exception as error:
        # Archives may be damaged in any way, and each library that unpacks them raises errors of its own.
        return Outcome(Status.READ_ERROR, error=f"{path}: {error}")


def confined(path: Path, root: str | None) -> Path:
    """`path` without its `..`, if that lies below `root`.

    What a row says must not lead out; links may, as only who owns the folder can make them: a cache on another disk, or
    photos that are kept elsewhere. Raises OutsideRootError, whether or not there is such a file.
    """
    if root is None:
        raise OutsideRootError(f"{path}: no paths here, only URLs")
    named = _without_dots(path)
    # A row may also give the place that the root itself is a link to.
    if not any(named.is_relative_to(place) for place in (_without_dots(Path(root)), Path(root).resolve())):
        raise OutsideRootError(f"{path} leads out of {root}")
    return named


def _without_dots(path: Path) -> Path:
    """By its text alone: `link/..` is where the link is, not where it leads. pathlib has nothing that does this."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _read_file(path: Path, max_bytes: int) -> Outcome:
    # Non-blocking: opening a named pipe in an unknown folder must not block forever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Outcome(Status.READ_ERROR, error=f"{path.name} is not a regular file")
        return bounded(stream.read(max_bytes + 1), max_bytes)
