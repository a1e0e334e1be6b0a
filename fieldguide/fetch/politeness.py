"""Limits on requests: at once in all and to one host, per second to one host, and none while a host asks us to wait.

All processes of a stage keep them together: what they share lies in a folder (`places`).
"""

import asyncio
import hashlib
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fieldguide.fetch.places import Pace, Places


class Politeness:
    """One gate per server, made when it is first asked."""

    def __init__(self, folder: Path, concurrency: int, requests_per_second: float | None) -> None:
        self._folder, self._concurrency = folder, concurrency
        self._interval_s = 1 / requests_per_second if requests_per_second else 0.0
        self._gates: dict[str, Gate] = {}

    def gate(self, origin: str) -> "Gate":
        """The gate of the server called `origin`."""
        if origin not in self._gates:
            path = self._folder / hashlib.sha256(origin.encode()).hexdigest()[:16]
            self._gates[origin] = Gate(path, self._concurrency, self._interval_s)
        return self._gates[origin]


class Gate:
    """Lets requests to one server pass: so many at once, and evenly spaced."""

    def __init__(self, path: Path, concurrency: int, interval_s: float) -> None:
        self._places, self._pace, self._interval_s = Places(path, concurrency), Pace(path), interval_s

    @asynccontextmanager
    async def passed(self) -> AsyncIterator[None]:
        """Wait for a place and for the time, and hold the place within."""
        async with self._places.taken():
            while (wait_s := self._pace.wait_s(self._interval_s)) > 0:
                await asyncio.sleep(wait_s)
            yield

    def pause(self, seconds: float) -> None:
        """Let no request pass for so long."""
        self._pace.pause(seconds)


class Slots:
    """So many at once; of those that wait, the one whose turn is the earliest goes first.

    A slow host's photos wait long and are many among those that wait. First come, first served would give them most of
    the slots; by turns they get as many as their share of the photos.
    """

    def __init__(self, num: int) -> None:
        self._free = num
        self._turns = itertools.count()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def draw_turn(self) -> int:
        """A turn later than all that were drawn before."""
        return next(self._turns)

    @asynccontextmanager
    async def taken(self, turn: int) -> AsyncIterator[None]:
        """Wait for a slot, and hold it within. No two may wait with one turn."""
        if self._free:
            self._free -= 1
        else:
            granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (turn, granted))
            try:
                await granted
            except asyncio.CancelledError:
                if not granted.cancelled():
                    self._pass_on()
                raise
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            _, granted = heapq.heappop(self._waiting)
            if not granted.done():
                granted.set_result(None)
                return
        self._free += 1
