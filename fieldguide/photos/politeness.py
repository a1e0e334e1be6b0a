"""How often one host may be asked: so many requests at once, so many a second, and none while it asks for patience.

Works within one event loop. A stage of several processes gives each of them its share.
"""

import asyncio
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
