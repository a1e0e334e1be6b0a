"""Reads single members of tar and zip archives, which a stranger may have made.

An archive is opened once per process, and one that cannot be opened is not tried again for each of its photos.
"""

import gzip
import os
import stat
import tarfile
import tempfile
import threading
import weakref
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from fieldguide.catalogue.schema import Status
from fieldguide.catalogue.sources.archives import StrictHeader
from fieldguide.fetch.outcomes import Outcome, bounded, too_large

GZIP_MAGIC: Final = b"\x1f\x8b"
COPY_BYTES: Final = 2**20
MOST_UNPACKED: Final = 20
"""Times the size of a .tar.gz that it may unpack to. Photographs hardly shrink, drawings and scans do by 10."""
FREE_BYTES: Final = 16 * 2**20
"""That much any archive may unpack to."""

Opened = TypeVar("Opened")

# Reads run in threads; without it each of them would index the same archive at the start.
_opening = threading.Lock()


def read_member(scheme: str, archive: Path, member: str, max_bytes: int) -> Outcome:
    """The outcome of a member of an archive; `scheme` is `tar` or `zip`. What is wrong with the archive raises."""
    status = archive.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    # Size and time are part of the key: a changed archive is read again.
    key = (archive, status.st_size, status.st_mtime_ns)
    with _opening:
        opened: Any = _open_tar(*key) if scheme == "tar" else _open_zip(*key)
    if isinstance(opened, Exception):
        raise opened.with_traceback(None)
    return _read_tar(opened, member, max_bytes) if scheme == "tar" else _read_zip(opened, member, max_bytes)


class _OpenTar:
    """A tar that is open for reading at any place; a packed one is unpacked first, once per process."""

    def __init__(self, archive: Path) -> None:
        with archive.open("rb") as stream:
            packed = stream.read(2) == GZIP_MAGIC
        if packed:
            with tempfile.TemporaryFile(prefix="fieldguide-") as plain:
                _unpack(archive, plain)
                self.descriptor = os.dup(plain.fileno())
        else:
            self.descriptor = os.open(archive, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self.descriptor)
        with os.fdopen(os.dup(self.descriptor), "rb") as stream:
            stream.seek(0)
            self.index, self.damage = _index(stream)


def _unpack(archive: Path, plain: IO[bytes]) -> None:
    most = FREE_BYTES + MOST_UNPACKED * archive.stat().st_size
    with gzip.open(archive) as source:
        while piece := source.read(COPY_BYTES):
            if plain.tell() + len(piece) > most:
                raise tarfile.ReadError(f"unpacks to more than {MOST_UNPACKED} times its size; expected photographs")
            plain.write(piece)
    plain.flush()


def _index(stream: IO[bytes]) -> tuple[dict[str, tuple[int, int] | None], str]:
    """Offset and size of each regular member, None if its bytes do not lie there in one piece; and what ends the list.

    `tar -C folder .` begins all names with `./`. What lies before a damaged header can be read all the same.
    """
    index: dict[str, tuple[int, int] | None] = {}
    end = -1
    with tarfile.open(fileobj=stream, mode="r:", tarinfo=StrictHeader) as opened:
        try:
            for entry in opened:
                if entry.size < 0 or entry.offset <= end:
                    raise tarfile.ReadError(f"the header of {entry.name!r} leads backwards")
                end = entry.offset
                if entry.isreg():
                    place = None if entry.issparse() else (entry.offset_data, entry.size)
                    index[entry.name.removeprefix("./")] = place
        except tarfile.ReadError as error:
            if not index:
                raise
            return index, str(error)
    return index, ""


def _read_tar(opened: _OpenTar, member: str, max_bytes: int) -> Outcome:
    name = member.removeprefix("./")
    if name not in opened.index:
        if opened.damage:
            return Outcome(Status.READ_ERROR, error=f"the archive is damaged before {member!r}: {opened.damage}")
        return Outcome(Status.MISSING, error=f"no member {member!r}")
    place = opened.index[name]
    if place is None:
        return Outcome(Status.READ_ERROR, error=f"member {member!r} is stored sparse; expected it whole")
    offset, size = place
    if size > max_bytes:
        return too_large(max_bytes)
    content = os.pread(opened.descriptor, size, offset)
    if len(content) != size:
        return Outcome(Status.INCOMPLETE, error=f"the archive ends within {member!r}")
    return Outcome(Status.OK, content=content)


def _read_zip(opened: zipfile.ZipFile, member: str, max_bytes: int) -> Outcome:
    try:
        entry = opened.getinfo(member)
    except KeyError:
        return Outcome(Status.MISSING, error=f"no member {member!r}")
    with opened.open(entry) as stream:
        # One byte more than allowed is asked for: the size a zip claims may be a lie.
        return bounded(stream.read(max_bytes + 1), max_bytes)


def _remembered(opener: Callable[[Path], Opened]) -> Callable[[Path, int, int], Opened | Exception]:
    @lru_cache(maxsize=8)
    def open_once(archive: Path, size: int, mtime_ns: int) -> Opened | Exception:
        try:
            return opener(archive)
        except Exception as error:
            # A full disk or too many open files are no fault of the archive, and pass.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            return error

    return open_once


_open_tar = _remembered(_OpenTar)
_open_zip = _remembered(zipfile.ZipFile)
