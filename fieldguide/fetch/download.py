"""Gets one photo over HTTP: limits on time, size and redirects, retries with backoff, no private addresses.

Every answer, good or bad, is an `Outcome`; nothing that a server does raises.
"""

import asyncio
import email.utils
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp

from fieldguide.catalogue.schema import Status
from fieldguide.errors import FieldguideError
from fieldguide.fetch.addresses import PrivateAddressError
from fieldguide.fetch.connections import Connections, open_connections
from fieldguide.fetch.host_stats import HostStats
from fieldguide.fetch.limits import DownloadParams
from fieldguide.fetch.outcomes import Outcome, is_retryable
from fieldguide.fetch.places import LONGEST_PAUSE_S, Places
from fieldguide.fetch.politeness import Politeness, Slots
from fieldguide.fetch.target import SCHEMES, Target, read_target
from fieldguide.files import salted_unit

ANSWERED: Final = frozenset({200, 203})
"""203: a proxy on the way has changed the headers."""
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0
CHUNK_BYTES: Final = 2**16
MOST_HEADER_CHARS: Final = 500
NO_CONDITIONS: Final[Mapping[str, str]] = {}

Finish = Callable[[Outcome], Awaitable[Outcome]]


@dataclass(frozen=True)
class Downloader:
    """Asks for photos within one event loop; make it with `open_downloader`."""

    connections: Connections
    slots: Slots
    """Of this process, for requests in the order of their turns."""
    places: Places
    """Of all processes, for the same."""
    local_slots: Slots
    """Of this process, for what is read without a request."""
    politeness: Politeness
    params: DownloadParams
    times: HostStats = field(default_factory=HostStats)

    async def download(
        self, url: str, finish: Finish | None = None, conditions: Mapping[str, str] = NO_CONDITIONS
    ) -> Outcome:
        """The outcome of `url` after the attempts that its failures allow.

        `finish` turns a photo's outcome into the one to keep (it may shrink the photo) while the slot is still held: so
        no more photos are in memory than requests are allowed. `conditions` are headers such as If-None-Match; if the
        server then answers that nothing changed, the outcome `is_unchanged`. Raises ParamsError on a proxy of the
        environment that cannot be used.
        """
        try:
            target = read_target(url)
        except ValueError as error:
            return Outcome(Status.INVALID_URL, error=str(error))
        attempt, turn = 0, self.slots.draw_turn()
        while True:
            way, outcome = Way(target), None
            while outcome is None:
                # The host's gate comes first: a photo that waits for a busy host must not take a slot from other hosts.
                gate = self.politeness.gate(way.target.origin)
                async with gate.passed(), self.slots.taken(turn), self.places.taken():
                    outcome = await self._ask(way, conditions)
                    if finish is not None and outcome is not None and outcome.content is not None:
                        outcome = await finish(outcome)
            self.times.add(url, attempt, way.seconds)
            if outcome.retry_after_s is not None:
                gate.pause(outcome.retry_after_s)
            if attempt == self.params.retries or not is_retryable(outcome.status, outcome.http_status):
                return outcome
            # No slot is held while waiting, so a busy server does not delay others.
            await asyncio.sleep(wait_before_retry(url, attempt, outcome.retry_after_s))
            attempt += 1

    async def _ask(self, way: "Way", conditions: Mapping[str, str]) -> Outcome | None:
        """The outcome at the end of `way`; None if it goes on at another server, which has a gate of its own."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(self.params.total_timeout_s - way.seconds):
                return await self._follow(way, conditions)
        except aiohttp.InvalidURL as error:
            return Outcome(Status.INVALID_URL, error=str(error))
        except TimeoutError as error:
            return Outcome(Status.TIMEOUT, error=str(error) or f"more than {self.params.total_timeout_s:g} s")
        except aiohttp.ClientPayloadError:
            return Outcome(Status.INCOMPLETE, error="the body ended before its announced length")
        except FieldguideError:
            raise
        except Exception as error:
            # No list of errors: what the client makes of answers that are none changes with its versions.
            cause = getattr(error, "os_error", error)
            if isinstance(cause, PrivateAddressError):
                return Outcome(Status.REFUSED, error=str(cause))
            return Outcome(Status.CONNECTION_ERROR, error=str(error) or type(error).__name__)
        finally:
            way.seconds += time.monotonic() - started

    async def _follow(self, way: "Way", conditions: Mapping[str, str]) -> Outcome | None:
        origin = way.target.origin
        while way.target.origin == origin:
            cookies = way.cookies()
            headers = {**conditions, "Cookie": cookies} if cookies else conditions
            async with self.connections.get(way.target, headers) as response:
                if response.status == 304 and conditions:
                    return Outcome(Status.OK, 304, is_unchanged=True)
                if response.status not in REDIRECTS or "Location" not in response.headers:
                    return await self._read(response)
                if way.num_redirects == self.params.max_redirects:
                    return Outcome(Status.TOO_MANY_REDIRECTS, error=f"more than {self.params.max_redirects}")
                if failure := way.go_on(response):
                    return failure
        return None

    async def _read(self, response: aiohttp.ClientResponse) -> Outcome:
        code = response.status
        if code in (404, 410):
            return Outcome(Status.MISSING, code, f"HTTP {code}")
        if code not in ANSWERED:
            return Outcome(Status.HTTP_ERROR, code, f"HTTP {code}", retry_after_s=retry_after_s(response.headers))
        limit = self.params.max_bytes
        too_large = Outcome(Status.TOO_LARGE, code, f"more than {limit} bytes")
        if (response.content_length or 0) > limit:
            return too_large
        content = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            content += chunk
            if len(content) > limit:
                return too_large
        etag, last_modified = (_usable(response.headers.get(name)) for name in ("ETag", "Last-Modified"))
        return Outcome(Status.OK, code, content=bytes(content), etag=etag, last_modified=last_modified)


@dataclass
class Way:
    """One attempt's way from redirect to redirect."""

    target: Target
    """Where it has come to."""
    num_redirects: int = 0
    seconds: float = 0.0
    """For which servers were asked, without the waits before."""
    # Some servers answer only who comes back with the cookie that they gave along with a redirect to themselves.
    _jar: aiohttp.CookieJar = field(default_factory=partial(aiohttp.CookieJar, unsafe=True))

    def cookies(self) -> str:
        """The Cookie header for the target, perhaps empty."""
        return self._jar.filter_cookies(self.target.url).output(attrs=[], header="", sep=";").strip()

    def go_on(self, response: aiohttp.ClientResponse) -> Outcome | None:
        """Go where a redirect leads; the outcome if that is nowhere."""
        self._jar.update_cookies(response.cookies, self.target.url)
        self.num_redirects += 1
        url = self.target.locate(response.headers["Location"].strip(" \t"))
        scheme = url.partition(":")[0].lower()
        if scheme not in SCHEMES:
            return Outcome(Status.REFUSED, error=f"redirected to scheme {scheme!r}")
        try:
            self.target = read_target(url)
        except ValueError as error:
            return Outcome(Status.INVALID_URL, error=f"redirected to no URL: {error}")
        return None


@asynccontextmanager
async def open_downloader(
    params: DownloadParams, shared: Path | None = None, num_processes: int = 1
) -> AsyncIterator[Downloader]:
    """A Downloader in the running event loop.

    All of `num_processes` name one folder `shared`, through which they keep the limits together.
    """
    with tempfile.TemporaryDirectory() as alone:
        folder = shared or Path(alone)
        folder.mkdir(parents=True, exist_ok=True)
        slots, local_slots = Slots(params.concurrency), Slots(max(1, params.concurrency // num_processes))
        places = Places(folder / "all", params.concurrency)
        politeness = Politeness(folder, params.host_concurrency, params.host_requests_per_second)
        async with open_connections(params) as connections:
            yield Downloader(connections, slots, places, local_slots, politeness, params)


def wait_before_retry(url: str, attempt: int, asked_s: float | None) -> float:
    """Seconds to wait after the failed `attempt` (from 0): what the server asks, else 0.5, 1, 2, ... s within bounds.

    Up to half is taken off by a jitter that depends on the URL alone, so that the URLs of one host do not come
    back all at once.
    """
    if asked_s is not None:
        return min(asked_s, LONGEST_PAUSE_S)
    return min(FIRST_WAIT_S * 2**attempt, LONGEST_WAIT_S) * (1 - salted_unit(f"retry {attempt}", url) / 2)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; None without a usable one."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _usable(header: str | None) -> str | None:
    """A header that is worth keeping: short, and the same when it is sent back."""
    return header if header and len(header) <= MOST_HEADER_CHARS and header.isascii() and header.isprintable() else None
