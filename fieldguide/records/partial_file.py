"""A file on its way: what has come of it, under which name of the server's, and the digest so far."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.errors import RecordError


@dataclass
class PartialFile:
    """Grows at its end, or starts anew."""

    path: Path
    num_bytes: int = 0
    tag: str | None = None
    """The server's name for this version of the file."""
    digest: Any = field(default_factory=hashlib.sha256)

    def restart(self) -> None:
        """Forget all of it."""
        self.path.unlink(missing_ok=True)
        self.num_bytes, self.tag, self.digest = 0, None, hashlib.sha256()

    def append(self, chunk: bytes) -> None:
        """Add bytes at the end. Raises RecordError where the disk does not take them."""
        try:
            with self.path.open("ab", buffering=0) as stream:
                rest = memoryview(chunk)
                while rest:
                    rest = rest[stream.write(rest) :]
        except OSError as error:
            raise RecordError(f"{self.path} cannot be written: {error.strerror}") from None
        self.digest.update(chunk)
        self.num_bytes += len(chunk)
