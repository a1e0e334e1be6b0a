"""Reads photos from folders, tar and zip archives, and object stores; never outside the source's own root.

Each reader gives an `Outcome`, as a download does.
"""

import gzip
import os
import shutil
import stat
import tarfile
import tempfile
import threading
import weakref
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Final

import fsspec

from fieldguide.catalogue.rows import ARCHIVE_MEMBER
from fieldguide.catalogue.schema import Status
from fieldguide.errors import CatalogueError
from fieldguide.fetch.outcomes import Outcome

STORES: Final = ("s3", "gs", "az")
ALLOWED: Final = ("http", "https", "file", "tar", "zip", *STORES)

GZIP_MAGIC: Final = b"\x1f\x8b"
COPY_BYTES: Final = 2**20

# Reads run in threads; without it each of them would index the same archive at the start.
_opening = threading.Lock()


class OutsideRootError(Exception):
    """A path leads out of the source's root."""


def local_file(url: str) -> Path | None:
    """The file on this machine that a `file:`, `tar:` or `zip:` URL is read from; None for any other URL."""
    if match := ARCHIVE_MEMBER.fullmatch(url):
        return Path(match["archive"])
    return Path(url.removeprefix("file:")) if url.startswith("file:") else None


def read_unsent(url: str, root: str | None, max_bytes: int) -> Outcome:
    """The outcome of a URL that is not http(s). Raises CatalogueError if a store's package is not installed."""
    scheme = url.partition(":")[0].lower()
    if scheme in STORES:
        return _read_store(url, scheme, max_bytes)
    path = local_file(url)
    if path is None:
        return Outcome(Status.REFUSED, error=f"scheme {scheme!r}; expected one of {', '.join(ALLOWED)}")
    try:
        inside = confined(path, root)
        if scheme == "file":
            return _read_file(inside, max_bytes)
        match = ARCHIVE_MEMBER.fullmatch(url)
        assert match is not None
        read = _read_tar_member if scheme == "tar" else _read_zip_member
        return read(inside, match["member"], max_bytes)
    except OutsideRootError as error:
        return Outcome(Status.REFUSED, error=str(error))
    except (FileNotFoundError, NotADirectoryError):
        return Outcome(Status.MISSING, error=f"{path} does not exist")
    except ValueError as error:
        return Outcome(Status.INVALID_URL, error=f"{url!a}: {error}")
    except (OSError, tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        return Outcome(Status.READ_ERROR, error=f"{path}: {' '.join(str(error).split())}")


def confined(path: Path, root: str | None) -> Path:
    """`path` with symbolic links followed.

    Raises OutsideRootError unless it then lies below `root`, whether or not there is such a file.
    """
    if root is None:
        raise OutsideRootError(f"{path}: no paths here, only URLs")
    real = path.resolve()
    if not real.is_relative_to(Path(root).resolve()):
        raise OutsideRootError(f"{path} leads out of {root}")
    return real


def _read_file(path: Path, max_bytes: int) -> Outcome:
    # Non-blocking: opening a named pipe in an unknown folder must not block forever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Outcome(Status.READ_ERROR, error=f"{path.name} is not a regular file")
        return _bounded(stream.read(max_bytes + 1), max_bytes)


def _read_tar_member(archive: Path, member: str, max_bytes: int) -> Outcome:
    with _opening:
        opened = _open_tar(archive, archive.stat().st_size, archive.stat().st_mtime_ns)
    place = opened.index.get(member.removeprefix("./"))
    if place is None:
        return Outcome(Status.MISSING, error=f"no member {member!r} in {archive.name}")
    offset, size = place
    if size > max_bytes:
        return _too_large(max_bytes)
    content = os.pread(opened.descriptor, size, offset)
    if len(content) != size:
        return Outcome(Status.INCOMPLETE, error=f"{archive.name} ends within {member!r}")
    return Outcome(Status.OK, content=content)


class _OpenTar:
    """A tar that is open for reading at any place; a packed one is unpacked first, once per process."""

    def __init__(self, archive: Path) -> None:
        with archive.open("rb") as stream:
            packed = stream.read(2) == GZIP_MAGIC
        if packed:
            with gzip.open(archive) as source, tempfile.TemporaryFile(prefix="fieldguide-") as plain:
                shutil.copyfileobj(source, plain, COPY_BYTES)
                plain.flush()
                self.descriptor = os.dup(plain.fileno())
        else:
            self.descriptor = os.open(archive, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self.descriptor)
        with os.fdopen(os.dup(self.descriptor), "rb") as stream:
            stream.seek(0)
            with tarfile.open(fileobj=stream, mode="r:") as opened:
                members = (entry for entry in opened if entry.isreg())
                self.index = {each.name.removeprefix("./"): (each.offset_data, each.size) for each in members}
                """Offset and size of each regular member; `tar -C folder .` begins all names with `./`."""


@lru_cache(maxsize=8)
def _open_tar(archive: Path, size: int, mtime_ns: int) -> _OpenTar:
    """Size and time of the archive are part of the cache's key: a changed archive is read again."""
    return _OpenTar(archive)


def _read_zip_member(archive: Path, member: str, max_bytes: int) -> Outcome:
    with _opening:
        opened = _open_zip(archive, archive.stat().st_size, archive.stat().st_mtime_ns)
    try:
        entry = opened.getinfo(member)
    except KeyError:
        return Outcome(Status.MISSING, error=f"no member {member!r} in {archive.name}")
    with opened.open(entry) as stream:
        # One byte more than allowed is asked for: the size a zip claims may be a lie.
        return _bounded(stream.read(max_bytes + 1), max_bytes)


@lru_cache(maxsize=8)
def _open_zip(archive: Path, size: int, mtime_ns: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


def _read_store(url: str, scheme: str, max_bytes: int) -> Outcome:
    try:
        store, path = fsspec.url_to_fs(url)
    except ImportError as error:
        raise CatalogueError(f"{scheme}:// URLs need a package that is not installed: {error}") from None
    try:
        with store.open(path, "rb") as stream:
            return _bounded(stream.read(max_bytes + 1), max_bytes)
    except FileNotFoundError:
        return Outcome(Status.MISSING, error=f"{url} does not exist")
    except Exception as error:
        # Each store's package raises its own family of errors, with no base in common.
        status = Status.TIMEOUT if isinstance(error, TimeoutError) else Status.CONNECTION_ERROR
        return Outcome(status, error=" ".join(str(error).split()) or type(error).__name__)


def _bounded(content: bytes, max_bytes: int) -> Outcome:
    return _too_large(max_bytes) if len(content) > max_bytes else Outcome(Status.OK, content=content)


def _too_large(max_bytes: int) -> Outcome:
    return Outcome(Status.TOO_LARGE, error=f"more than {max_bytes} bytes")
