"""A file or folder on this machine or in a store (s3://, http(s)://): named by its path or URL, read as a stream.

Nothing of a store is kept. Its credentials are those of the environment (`AWS_*`, or `FSSPEC_S3_ANON=true`), as the
URLs come from whoever runs the command.
"""

import errno
import glob
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

import fsspec

from fieldguide.errors import FieldguideError, ParamsError
from fieldguide.verify.patterns import expand_braces

READ_AHEAD: Final = 4 << 20
"""Bytes asked of a store at once."""
UNLISTED: Final = ("http", "https")
"""Stores that cannot say what lies in a folder."""
ABSENT: Final = (404, 410)
"""What a web server says of a file that is not there."""
SCHEMES: Final = ("s3", *UNLISTED)


@dataclass(frozen=True, order=True)
class Place:
    """One path or URL, sorted and shown as it was written."""

    path: str

    @property
    def scheme(self) -> str:
        """`s3`, `http`, `https`; empty for a path of this machine."""
        return self.path.partition("://")[0] if "://" in self.path else ""

    @property
    def local(self) -> Path:
        """The path, if it is one of this machine."""
        assert not self.scheme, f"{self.path} is elsewhere"
        return Path(self.path)

    @property
    def name(self) -> str:
        """The last part."""
        return PurePosixPath(urlsplit(self.path).path if self.scheme else self.path).name

    @property
    def suffix(self) -> str:
        """The end of the name from its last dot on."""
        return PurePosixPath(self.name).suffix

    @property
    def folder(self) -> "Place":
        """Where it lies; of the topmost, itself."""
        if self.scheme:
            above = self.path.rpartition("/")[0]
            return Place(above) if above.count("/") > 2 or (above.count("/") == 2 and above[-1] != "/") else self
        return Place(str(Path(self.path).parent))

    def above(self) -> Iterator["Place"]:
        """The folders that hold it, nearest first."""
        place = self
        while place.folder != place:
            place = place.folder
            yield place

    def child(self, name: str) -> "Place":
        """What lies below it under that name."""
        return Place(f"{self.path}/{name}" if self.scheme else str(Path(self.path) / name))

    def name_below(self, folder: "Place") -> str:
        """Its name as seen from `folder`, with `/`."""
        if self.scheme:
            return self.path.removeprefix(f"{folder.path}/")
        return Path(self.path).relative_to(folder.path).as_posix()

    def is_file(self) -> bool:
        """Whether there is such a file. Raises FieldguideError if the store does not answer."""
        if not self.scheme:
            return self.local.is_file()
        try:
            return bool(self._asked("info")["type"] == "file")
        except FileNotFoundError:
            return False

    def is_folder(self) -> bool:
        """Whether there is such a folder; a store that cannot be listed has none."""
        if not self.scheme:
            return self.local.is_dir()
        return self.scheme not in UNLISTED and self._asked("isdir")

    def num_bytes(self) -> int:
        """Its size, 0 where a store does not say."""
        return self.local.stat().st_size if not self.scheme else self._asked("size") or 0

    def files(self) -> list["Place"]:
        """Every file below it, sorted; hidden ones are nobody's output."""
        if not self.scheme:
            found = (Path(folder) / name for folder, _, names in os.walk(self.path) for name in names)
            places = [Place(str(path)) for path in found if path.is_file()]
        else:
            places = [Place(f"{self.scheme}://{key}") for key in self._asked("find")]
        return sorted(place for place in places if "/." not in f"/{place.name_below(self)}")

    def read(self) -> bytes:
        """All its bytes. Raises FileNotFoundError."""
        with self.opened() as stream:
            return stream.read()

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Its bytes from the first to the last. Raises FileNotFoundError, or FieldguideError if the store fails."""
        if not self.scheme:
            with self.local.open("rb") as stream:
                yield stream
            return
        with _told(self.path):
            options = {} if self.scheme in UNLISTED else {"cache_type": "readahead"}
            remote = _store(self.scheme).open(self.path, "rb", block_size=READ_AHEAD, **options)
        with remote, io.BufferedReader(_Remote(remote, self.path), READ_AHEAD) as buffered:
            yield buffered

    def remove(self) -> None:
        """Delete the file; of a link, the link."""
        if not self.scheme:
            self.local.unlink()
        else:
            self._asked("rm_file")

    def _asked(self, question: str) -> Any:
        with _told(self.path):
            return getattr(_store(self.scheme), question)(self.path)


def find_places(pattern: str) -> list[Place]:
    """What a word of the command line names: braces and globs expanded, sorted globs, no folder's `/` at the end.

    Raises ParamsError for an unknown scheme, for a glob over a store without lists, and where nothing is there.
    """
    places: list[Place] = []
    for name in [pattern] if "://" not in pattern and Path(pattern).exists() else expand_braces(pattern):
        scheme = name.partition("://")[0] if "://" in name else ""
        if scheme and scheme not in SCHEMES:
            raise ParamsError(f"{name}: scheme {scheme!r} is unknown; expected a path, or {', '.join(SCHEMES)}")
        trimmed = name.rstrip("/") or name
        if not any(sign in name for sign in ("*" if scheme in UNLISTED else "*?[")):
            places.append(Place(trimmed if scheme else str(Path(name))))
        elif scheme in UNLISTED:
            raise ParamsError(f"{name}: {scheme} cannot be listed; expected every name, or braces such as {{000..031}}")
        elif scheme:
            with _told(name):
                places += [Place(f"{scheme}://{key.rstrip('/')}") for key in sorted(_store(scheme).glob(trimmed))]
        else:
            places += [Place(str(Path(found))) for found in sorted(glob.glob(name, recursive=True))]  # noqa: PTH207 - absolute patterns, too
    if not places:
        raise ParamsError(f"{pattern} matches nothing; expected a file or a folder")
    return list(dict.fromkeys(places))


@cache
def _store(scheme: str) -> Any:
    return fsspec.filesystem(scheme)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Each store's package raises its own family of errors, with no base in common."""
    try:
        yield
    except FileNotFoundError as error:
        # fsspec says so of a server that does not answer, too.
        cause = error.__cause__
        no_answer = isinstance(cause, OSError) and cause.errno != errno.ENOENT
        if no_answer or getattr(cause, "status", ABSENT[0]) not in ABSENT:
            raise FieldguideError(f"{path} cannot be read: {cause}") from error
        raise
    except Exception as error:
        raise FieldguideError(f"{path} cannot be read: {type(error).__name__}: {error}") from error


class _Remote(io.RawIOBase):
    """A store's file, whose failures are told as those of the store and not of the bytes."""

    def __init__(self, remote: Any, path: str) -> None:
        self._remote, self._path = remote, path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _told(self._path):
            content = self._remote.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)
