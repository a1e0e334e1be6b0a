"""Limits that several processes keep together, through small files in a folder that all of them see.

A place is a lock on a file, so the kernel frees those of a process that is killed.
"""

import asyncio
import fcntl
import os
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

LOOK_EVERY_S: Final = 0.01
"""How often a process looks whether another one has freed a place."""
LONGEST_PAUSE_S: Final = 120.0
MOMENT: Final = struct.Struct("<d")


class Places:
    """So many for all processes that name the same `path`."""

    def __init__(self, path: Path, num: int) -> None:
        self._path, self._num = path, num
        self._mine: set[int] = set()
        self._first = asyncio.Lock()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for a place, and hold it within."""
        place, descriptor = await self._take()
        try:
            yield
        finally:
            os.close(descriptor)
            self._mine.remove(place)
            self._freed.set()

    async def _take(self) -> tuple[int, int]:
        # One at a time looks around, so that many who wait are no more work than one.
        async with self._first:
            while (taken := self._try()) is None:
                self._freed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._freed.wait()
            return taken

    def _try(self) -> tuple[int, int] | None:
        for place in range(self._num):
            if place in self._mine:
                continue
            descriptor = os.open(f"{self._path}-{place}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                self._mine.add(place)
                return place, descriptor
        return None


class Pace:
    """The moment before which nobody may go, for all processes that name the same `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def wait_s(self, interval_s: float) -> float:
        """Seconds to wait and ask again; 0: go now, and the next one not before `interval_s` have passed."""
        if not interval_s and not self._path.exists():
            return 0.0
        with self._moment() as moment:
            now = time.time()
            # A moment farther away is of another run or another clock.
            if now < moment[0] <= now + LONGEST_PAUSE_S:
                return moment[0] - now
            moment[0] = now + interval_s
            return 0.0

    def pause(self, seconds: float) -> None:
        """Let nobody go for so long, at most LONGEST_PAUSE_S."""
        with self._moment() as moment:
            moment[0] = max(moment[0], time.time() + min(seconds, LONGEST_PAUSE_S))

    @contextmanager
    def _moment(self) -> Iterator[list[float]]:
        """The moment as a list of one, which is written back."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            content = os.pread(descriptor, MOMENT.size, 0)
            moment = [*MOMENT.unpack(content)] if len(content) == MOMENT.size else [0.0]
            yield moment
            os.pwrite(descriptor, MOMENT.pack(moment[0]), 0)
        finally:
            os.close(descriptor)
