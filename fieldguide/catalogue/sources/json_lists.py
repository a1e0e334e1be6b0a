"""Streams the lists in a JSON file of any size, such as `images` and `annotations` of a COCO file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import ijson

from fieldguide.catalogue.sources.left_out import BAD_ROW, LeftOut
from fieldguide.catalogue.sources.reading import open_bytes, reading
from fieldguide.errors import CatalogueError

NO_NUMBER = re.compile(rb"(?<=[:,\[\s])(?:NaN|-?Infinity)(?=\s*[,}\]])")
"""What Python writes, though it is no JSON. In a text it would have to stand between such signs too."""
OVERLAP = 64
"""Bytes that are looked at again with those that follow."""


def read_objects(path: Path, name: str, left_out: LeftOut | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of the list called `name` with their numbers from 1; what is none goes into `left_out`.

    Raises CatalogueError if the file cannot be read, if something else than a list is called so or, without
    `left_out`, if something else than an object is in it. A list that is absent or null is empty.
    """
    number = 0
    with reading(lambda: f"{path}, after {name}[{number}]," if number else str(path)), open_bytes(path) as stream:
        for number, entry in enumerate(ijson.items(_NullForNan(stream), f"{name}.item", use_float=True), start=1):
            if isinstance(entry, dict):
                yield number, entry
                continue
            message = f"{path}, {name}[{number}]: got {entry!r}; expected an object"
            if left_out is None:
                raise CatalogueError(message)
            left_out.note(BAD_ROW, message)
    if not number:
        _check_is_list(path, name)


def _check_is_list(path: Path, name: str) -> None:
    with reading(str(path)), open_bytes(path) as stream:
        kind = next((event for prefix, event, _ in ijson.parse(_NullForNan(stream)) if prefix == name), "null")
    if kind not in ("start_array", "null"):
        raise CatalogueError(f"{path}: `{name}` is no list ({kind.removeprefix('start_')}); expected one")


class _NullForNan:
    """A stream of JSON in which NaN and Infinity are null."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._waiting = b""

    def read(self, size: int) -> bytes:
        """About `size` bytes; none at the end."""
        while True:
            piece = self._stream.read(size)
            content = self._waiting + piece
            # Looking for a word is a hundred times faster than looking at what stands around it.
            if b"NaN" in content or b"Infinity" in content:
                content = NO_NUMBER.sub(b"null", content)
            place = max(0, len(content) - OVERLAP) if piece else len(content)
            self._waiting = content[place:]
            if place or not piece:
                return content[:place]
