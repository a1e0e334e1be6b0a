"""Gets one photo over HTTP: limits on time, size and redirects, retries with backoff, no private addresses.

Every answer, good or bad, is an `Outcome`; nothing that a server does raises.
"""

import asyncio
import email.utils
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin, urlsplit

import aiohttp

from fieldguide.catalogue.schema import Status
from fieldguide.fetch.addresses import PrivateAddressError, PublicResolver, check_literal
from fieldguide.fetch.host_stats import HostStats
from fieldguide.fetch.limits import DownloadParams
from fieldguide.fetch.outcomes import Outcome, is_retryable
from fieldguide.fetch.politeness import Politeness, Slots
from fieldguide.files import salted_unit

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0
LONGEST_RETRY_AFTER_S: Final = 120.0
CHUNK_BYTES: Final = 2**16
# Identity: compression does not make a photo smaller, and a compressed bomb would fill our memory.
HEADERS: Final = {"User-Agent": "fieldguide", "Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"}
MOST_HEADER_CHARS: Final = 500
NO_CONDITIONS: Final[Mapping[str, str]] = {}

Finish = Callable[[Outcome], Awaitable[Outcome]]


@dataclass(frozen=True)
class Downloader:
    """Asks for photos within one event loop; make it with `open_downloader`."""

    session: aiohttp.ClientSession
    slots: Slots
    politeness: Politeness
    params: DownloadParams
    times: HostStats = field(default_factory=HostStats)

    async def download(
        self, url: str, finish: Finish | None = None, conditions: Mapping[str, str] = NO_CONDITIONS
    ) -> Outcome:
        """The outcome of `url` after the attempts that its failures allow.

        `finish` turns a photo's outcome into the one to keep (it may shrink the photo) while the slot is still held: so
        no more photos are in memory than requests are allowed. `conditions` are headers such as If-None-Match; if the
        server then answers that nothing changed, the outcome `is_unchanged`.
        """
        attempt = 0
        gate, turn = self.politeness.gate(url), self.slots.draw_turn()
        while True:
            # The host's gate comes first: a photo that waits for a busy host must not take a slot from other hosts.
            async with gate.passed(), self.slots.taken(turn):
                started = time.monotonic()
                outcome = await self._attempt(url, conditions)
                self.times.add(url, attempt, time.monotonic() - started)
                if finish is not None and outcome.content is not None:
                    return await finish(outcome)
            if outcome.retry_after_s is not None:
                gate.pause(min(outcome.retry_after_s, LONGEST_RETRY_AFTER_S))
            if attempt == self.params.retries or not is_retryable(outcome.status, outcome.http_status):
                return outcome
            # No slot is held while waiting, so a busy server does not delay others.
            await asyncio.sleep(wait_before_retry(url, attempt, outcome.retry_after_s))
            attempt += 1

    async def _attempt(self, url: str, conditions: Mapping[str, str]) -> Outcome:
        try:
            async with asyncio.timeout(self.params.total_timeout_s):
                return await self._follow(url, conditions)
        except PrivateAddressError as error:
            return Outcome(Status.REFUSED, error=str(error))
        except (aiohttp.InvalidURL, ValueError) as error:
            return Outcome(Status.INVALID_URL, error=one_line(error))
        except TimeoutError as error:
            return Outcome(Status.TIMEOUT, error=str(error) or f"more than {self.params.total_timeout_s:g} s")
        except aiohttp.ClientPayloadError:
            return Outcome(Status.INCOMPLETE, error="the body ended before its announced length")
        except (aiohttp.ClientError, OSError) as error:
            return Outcome(Status.CONNECTION_ERROR, error=one_line(error))

    async def _follow(self, url: str, conditions: Mapping[str, str]) -> Outcome:
        for _ in range(self.params.max_redirects + 1):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https"):
                return Outcome(Status.REFUSED, error=f"redirected to scheme {parts.scheme!r}")
            if not parts.hostname:
                return Outcome(Status.INVALID_URL, error="no host")
            if not self.params.allow_private:
                check_literal(parts.hostname)
            async with self.session.get(url, allow_redirects=False, headers=conditions) as response:
                if response.status in REDIRECTS and "Location" in response.headers:
                    url = urljoin(url, response.headers["Location"])
                    continue
                if response.status == 304 and conditions:
                    return Outcome(Status.OK, 304, is_unchanged=True)
                return await self._read(response)
        return Outcome(Status.TOO_MANY_REDIRECTS, error=f"more than {self.params.max_redirects}")

    async def _read(self, response: aiohttp.ClientResponse) -> Outcome:
        code = response.status
        if code in (404, 410):
            return Outcome(Status.MISSING, code, f"HTTP {code}")
        if code != 200:
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
        etag, last_modified = (_short(response.headers.get(name)) for name in ("ETag", "Last-Modified"))
        return Outcome(Status.OK, code, content=bytes(content), etag=etag, last_modified=last_modified)


@asynccontextmanager
async def open_downloader(params: DownloadParams) -> AsyncIterator[Downloader]:
    """A Downloader in the running event loop."""
    connector = aiohttp.TCPConnector(
        limit=params.concurrency, resolver=None if params.allow_private else PublicResolver()
    )
    # asyncio.timeout around an attempt covers its redirects too, so aiohttp's own total is off.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=params.connect_timeout_s, sock_read=params.read_timeout_s)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, headers=HEADERS, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        politeness = Politeness(params.host_concurrency, params.host_requests_per_second)
        yield Downloader(session, Slots(params.concurrency), politeness, params)


def wait_before_retry(url: str, attempt: int, asked_s: float | None) -> float:
    """Seconds to wait after the failed `attempt` (from 0): what the server asks, else 0.5, 1, 2, ... s within bounds.

    Up to half is taken off by a jitter that depends on the URL alone, so that the URLs of one host do not come
    back all at once.
    """
    if asked_s is not None:
        return min(asked_s, LONGEST_RETRY_AFTER_S)
    return min(FIRST_WAIT_S * 2**attempt, LONGEST_WAIT_S) * (1 - salted_unit(f"retry {attempt}", url) / 2)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; None without a usable one."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _short(header: str | None) -> str | None:
    """A header that is worth keeping."""
    return header if header and len(header) <= MOST_HEADER_CHARS else None


def one_line(error: BaseException) -> str:
    """An exception's message, or its name if it has none, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
