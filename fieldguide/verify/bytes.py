"""Bytes that are digested while somebody else reads them, and held to what they must be at their end."""

import hashlib
import io
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import xxhash

from fieldguide.verify.findings import Damage

PIECE: Final = 1 << 20


@dataclass(frozen=True)
class Expected:
    """What one file's bytes must be, as far as anything says."""

    num_bytes: int | None = None
    xxh3: str | None = None
    """Of digests.json."""
    sha256: str | None = None
    """Of the records' manifest or the bundle's list of files."""
    by: str = ""
    """The name of the file that says it."""


class DigestedStream(io.RawIOBase):
    """Passes a stream on, digesting it with the algorithms that `expected` asks for."""

    def __init__(self, stream: BinaryIO, expected: Expected) -> None:
        self._stream, self._expected = stream, expected
        self._xxh3 = xxhash.xxh3_64() if expected.xxh3 else None
        self._sha256 = hashlib.sha256() if expected.sha256 else None
        self.num_bytes = 0

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with the next bytes; returns how many."""
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        for digest in (self._xxh3, self._sha256):
            if digest is not None:
                digest.update(content)
        self.num_bytes += len(content)
        return len(content)

    def check(self) -> None:
        """Read to the end. Raises Damage unless size and digests are those that were expected."""
        while self.read(PIECE):
            pass
        expected = self._expected
        if expected.num_bytes not in (None, self.num_bytes):
            raise Damage(f"it has {self.num_bytes} bytes, {expected.by} says {expected.num_bytes}")
        for name, digest in (("xxh3", self._xxh3), ("sha256", self._sha256)):
            if digest is not None and digest.hexdigest() != getattr(expected, name):
                raise Damage(f"its {name} is {digest.hexdigest()}, {expected.by} says {getattr(expected, name)}")


def read_exactly(stream: BinaryIO, num_bytes: int, what: str) -> bytes:
    """The next bytes of a buffered stream. Raises Damage if it ends before."""
    content = stream.read(num_bytes)
    if len(content) != num_bytes:
        raise Damage(f"{what} ends early, {len(content)} of {num_bytes} bytes")
    return content
