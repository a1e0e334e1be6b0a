"""Limits on requests: at once in all and to one host, per second to one host, and none while a host asks us to wait.

Works within one event loop. A stage of several processes gives each of them its share.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Politeness:
    """One gate per host, made when the host is first asked."""

    def __init__(self, concurrency: int, requests_per_second: float | None) -> None:
        self._concurrency, self._rate = concurrency, requests_per_second
        self._gates: dict[str, _Gate] = {}

    def gate(self, url: str) -> "_Gate":
        """The gate of the host and port that `url` names; a URL without a readable host has one with its like."""
        try:
            parts = urlsplit(url)
            host = f"{parts.hostname}:{parts.port or parts.scheme}"
        except ValueError:
            host = ""
        if host not in self._gates:
            self._gates[host] = _Gate(self._concurrency, self._rate)
        return self._gates[host]


class _Gate:
    """Lets requests to one host pass; a token bucket whose tokens are spaced evenly."""

    def __init__(self, concurrency: int, rate: float | None) -> None:
        self._places = asyncio.Semaphore(concurrency)
        self._interval_s = 1 / rate if rate else 0.0
        self._next_s = 0.0

    @asynccontextmanager
    async def passed(self) -> AsyncIterator[None]:
        """Wait for a place and for the time, and hold the place within."""
        async with self._places:
            while (wait_s := self._next_s - time.monotonic()) > 0:
                await asyncio.sleep(wait_s)
            self._next_s = time.monotonic() + self._interval_s
            yield

    def pause(self, seconds: float) -> None:
        """Let no request pass for so long."""
        self._next_s = max(self._next_s, time.monotonic() + seconds)


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
