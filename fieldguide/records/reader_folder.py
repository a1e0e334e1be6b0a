"""The folder of one reader of a stream: its own for as long as it reads, and empty when it begins, whoever was killed.

A lock beside the folder says that its reader lives. The kernel frees the lock of one that is killed, and the next
reader of the same stream, whichever it is, removes what that one left.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fieldguide.errors import RecordError

PATIENCE_S: Final = 5.0
"""Another reader may look, for a moment, whether this one lives."""


@dataclass(frozen=True)
class ReaderFolder:
    """Where the reader `share[0]` of `share[1]` keeps its shards below `root`."""

    root: Path
    share: tuple[int, int]

    @property
    def path(self) -> Path:
        """The folder."""
        index, count = self.share
        return self.root / f"reader-{index}-of-{count}"

    @contextmanager
    def held(self) -> Iterator[Path]:
        """The folder, empty; gone afterwards. Raises RecordError while another process reads in it."""
        self.root.mkdir(parents=True, exist_ok=True)
        with _locked(self.path, PATIENCE_S) as is_mine:
            if not is_mine:
                index, count = self.share
                raise RecordError(
                    f"{self.path} is in use: another process reads share {index} of {count} in it; expected another "
                    "`share`, or another folder"
                )
            self._sweep()
            shutil.rmtree(self.path, ignore_errors=True)
            self.path.mkdir()
            try:
                yield self.path
            finally:
                shutil.rmtree(self.path, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove the folders of readers that live no more, of whatever share."""
        for folder in self.root.glob("reader-*-of-*"):
            if folder != self.path and folder.is_dir():
                with _locked(folder, 0) as is_nobodys:
                    if is_nobodys:
                        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, patience_s: float) -> Iterator[bool]:
    """Hold the lock of a folder; False if somebody else held it all the time."""
    descriptor = os.open(folder.with_name(f".{folder.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    end = time.monotonic() + patience_s
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    yield False
                    return
                time.sleep(0.02)
        try:
            yield True
        finally:
            # Closing is not enough: a process that was forked meanwhile has the descriptor, too.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)
