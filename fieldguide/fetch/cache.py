"""A folder of photos of bounded size, shared by many processes and threads.

The photo that was read longest ago is removed first. A line of the index is committed before its file is written, and a
file is removed before its line: so the files never take more than the index says, whenever a process is killed.
"""

import fcntl
import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fieldguide.errors import PhotoError

BLOCK_BYTES: Final = 4096
"""Files take whole blocks of the disk."""
LINE_BYTES: Final = 1024
"""A generous share of the index and the folder for each photo."""
BASE_BYTES: Final = 2**17
"""What an empty cache takes, and the journal of its index."""
PATIENCE_S: Final = 60.0

SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS photos (sha256 TEXT PRIMARY KEY, num_bytes INTEGER NOT NULL, used INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS by_use ON photos (used);
    CREATE TABLE IF NOT EXISTS total (num_bytes INTEGER NOT NULL);
    INSERT INTO total SELECT 0 WHERE NOT EXISTS (SELECT * FROM total);
"""


class PhotoCache:
    """Photos by the SHA-256 of their bytes. Make it with `open_cache`."""

    def __init__(self, folder: Path, max_bytes: int, index: sqlite3.Connection) -> None:
        self._folder, self._max_bytes, self._index = folder, max_bytes - BASE_BYTES, index
        # A connection serves one thread at a time.
        self._mine = threading.Lock()

    def get(self, sha256: str) -> bytes | None:
        """The bytes of a photo, None if they are not here."""
        try:
            content = self._file(sha256).read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(content).hexdigest() != sha256:
            self._file(sha256).unlink(missing_ok=True)
            return None
        with self._mine, self._index:
            self._index.execute("UPDATE photos SET used = ? WHERE sha256 = ?", (time.time_ns(), sha256))
        return content

    def put(self, sha256: str, content: bytes) -> None:
        """Keep a photo and remove others where there is no room; one that is larger than the bound is not kept."""
        num_bytes = -(-len(content) // BLOCK_BYTES) * BLOCK_BYTES + LINE_BYTES
        if num_bytes > self._max_bytes:
            return
        with self._mine, only_writer(self._folder):
            file = self._file(sha256)
            known = self._index.execute("SELECT num_bytes FROM photos WHERE sha256 = ?", (sha256,)).fetchone()
            if known is None:
                self._make_room(num_bytes)
                with self._index:
                    self._index.execute("INSERT INTO photos VALUES (?, ?, ?)", (sha256, num_bytes, time.time_ns()))
                    self._index.execute("UPDATE total SET num_bytes = num_bytes + ?", (num_bytes,))
            elif file.exists():
                return
            half_written = self._half_written(sha256)
            half_written.write_bytes(content)
            half_written.replace(file)

    def make_room(self) -> None:
        """Remove photos until the bound holds; it may have been larger in an earlier run."""
        with self._mine, only_writer(self._folder):
            self._make_room(0)

    def _make_room(self, num_bytes: int) -> None:
        (total,) = self._index.execute("SELECT num_bytes FROM total").fetchone()
        while total and total + num_bytes > self._max_bytes:
            oldest, freed = self._index.execute("SELECT sha256, num_bytes FROM photos ORDER BY used LIMIT 1").fetchone()
            self._half_written(oldest).unlink(missing_ok=True)
            self._file(oldest).unlink(missing_ok=True)
            with self._index:
                self._index.execute("DELETE FROM photos WHERE sha256 = ?", (oldest,))
                self._index.execute("UPDATE total SET num_bytes = num_bytes - ?", (freed,))
            total -= freed

    def _file(self, sha256: str) -> Path:
        return self._folder / sha256

    def _half_written(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.partial"


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Wait until no other thread or process writes; the kernel gives the lock back when its holder dies."""
    with (folder / "lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def open_cache(folder: Path, max_bytes: int) -> Iterator[PhotoCache]:
    """The cache in `folder`, made where there is none. Raises PhotoError if its index cannot be used."""
    folder.mkdir(parents=True, exist_ok=True)
    index = sqlite3.connect(folder / "index.sqlite", timeout=PATIENCE_S, check_same_thread=False)
    try:
        with only_writer(folder):
            # The index survives a killed process without it; after a power cut the cache may have to be deleted.
            index.execute("PRAGMA synchronous = OFF")
            index.executescript(SCHEMA)
        cache = PhotoCache(folder, max_bytes, index)
        cache.make_room()
        yield cache
    except sqlite3.DatabaseError as error:
        raise PhotoError(
            f"{folder}/index.sqlite: {error}; the cache can be deleted, it will be filled again"
        ) from error
    finally:
        index.close()
