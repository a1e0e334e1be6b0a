"""The one boundary around what others made: opening, unpacking and parsing the files and databases of sources.

What a library raises on damaged bytes is its own affair (zlib.error, LZMAError, struct.error, ValueError, ...) and
changes with its versions. Here every failure becomes a CatalogueError that names the file and the place in it.
"""

import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fieldguide.errors import CatalogueError, FieldguideError

LONGEST_REASON = 300
"""Characters of a library's message; some quote the file."""
MAX_RATIO = 100
"""Bytes that one packed byte may become. Tables reach 30, archives of photographs hardly 3, bombs 1,000."""
ALWAYS_ALLOWED_BYTES = 64 * 2**20

Place = str | Callable[[], str]
"""`data/observations.jsonl`, or what says so when it is asked: a line number changes while a file is read."""


@contextmanager
def reading(place: Place, mask: Callable[[str], str] | None = None) -> Iterator[None]:
    """Turn whatever fails within into a CatalogueError that begins with `place`, on one line.

    Only what opens, unpacks or parses belongs within: a bug of ours would pass for a damaged file, though with its
    traceback as the cause. `mask` hides the secrets of a database's address in the first line of its message, without
    the query that follows; there is no cause then, as it would hold them.
    """
    try:
        yield
    except FieldguideError:
        raise
    except Exception as error:
        name = place if isinstance(place, str) else place()
        if isinstance(error, FileNotFoundError):
            raise CatalogueError(f"{name} is missing") from None
        text = mask("".join(str(error).strip().splitlines()[:1])) if mask else str(error)
        reason = " ".join(text.split())[:LONGEST_REASON] or type(error).__name__
        raise CatalogueError(f"{name} cannot be read: {reason}") from (None if mask else error)


def unpacked_limit(packed: Path | int) -> int:
    """Bytes that a packed file, or one of so many bytes, may become before we stop: bombs become far more."""
    num_bytes = packed if isinstance(packed, int) else packed.stat().st_size
    return ALWAYS_ALLOWED_BYTES + MAX_RATIO * num_bytes


def open_bytes(path: Path) -> IO[bytes]:
    """A file's bytes, unpacked if it is a .gz. Reading raises OSError where they are more than `unpacked_limit`."""
    return open_gzip(path) if path.suffix == ".gz" else path.open("rb")


def open_gzip(path: Path) -> IO[bytes]:
    """The bytes that a gzip file of any name holds, as far as `unpacked_limit`; past it reading raises OSError."""
    return io.BufferedReader(_Bounded(gzip.open(path), unpacked_limit(path)), 2**17)  # type: ignore[type-var]


class _Bounded(io.RawIOBase):
    """A stream that raises OSError once more than `most` bytes were read from it."""

    def __init__(self, stream: gzip.GzipFile, most: int) -> None:
        self._stream, self._most, self._num_read = stream, most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        self._num_read += len(content)
        if self._num_read > self._most:
            raise OSError(f"unpacks to more than {self._most} bytes, as no photographs or tables do")
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()
