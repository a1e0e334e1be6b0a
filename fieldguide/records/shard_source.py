"""Brings shards from http(s) addresses and object stores into files, however often the connection breaks.

What has come stays: the next attempt asks for the rest by a range. A server that ignores ranges, or whose file has
changed, sends all again; bytes with another digest than the manifest's are thrown away and asked for once more.
Addresses are held to the same rules as those of photos: none leads to a private one unless the limits allow it.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp

from fieldguide.credentials import mask_credentials
from fieldguide.errors import FieldguideError, RecordError
from fieldguide.fetch.addresses import PrivateAddressError
from fieldguide.fetch.connections import Connections, open_connections
from fieldguide.fetch.download import ANSWERED, REDIRECTS, Way, retry_after_s, wait_before_retry
from fieldguide.fetch.limits import DownloadParams
from fieldguide.fetch.outcomes import RETRYABLE_CODES
from fieldguide.fetch.stores import OBJECT, Access, bucket_of, open_store
from fieldguide.fetch.target import read_target
from fieldguide.records.partial_file import PartialFile
from fieldguide.records.shard_list import Shard

CHUNK_BYTES: Final = 2**18
RANGE_BYTES: Final = 2**23
"""Asked of a store at once."""
PARTIAL: Final = 206
_CONTENT_RANGE: Final = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<total>\d+)")

Result = TypeVar("Result")


class _PassingError(Exception):
    """A failure after which asking again may help."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class ShardSource:
    """Brings shards within one event loop. Make it with `open_shard_source`."""

    connections: Connections
    limits: DownloadParams

    async def measure(self, shard: Shard) -> int:
        """How long a shard is, bytes. Raises RecordError if nobody says."""
        if shard.num_bytes is not None:
            return shard.num_bytes

        async def ask() -> int:
            if bucket_of(shard.url):
                return int((await self._ask_store(shard.url, "info"))["size"])
            async with self._opened(shard.url, {"Range": "bytes=0-0"}) as response:
                total = _total_of(response)
            if total is None:
                raise RecordError(f"{shard}: the server does not say how long it is; expected a manifest that does")
            return total

        return await self._retried(shard, ask)

    async def read(self, url: str) -> bytes:
        """A small file, at most `max_megabytes`. Raises RecordError."""
        limit = self.limits.max_bytes

        async def ask() -> bytes:
            content = bytearray()
            if bucket_of(url):
                content += await self._ask_store(url, "cat_file", start=0, end=limit + 1)
            else:
                async with self._opened(url, {}) as response:
                    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                        content += chunk
                        if len(content) > limit:
                            break
            if len(content) > limit:
                raise RecordError(f"{mask_credentials(url)} has more than {limit} bytes")
            return bytes(content)

        return await self._retried(Shard(url), ask)

    async def bring(self, shard: Shard, path: Path, num_bytes: int) -> None:
        """Write the `num_bytes` of a shard to `path`, which never holds more. Raises RecordError."""
        partial = PartialFile(path)

        async def ask() -> None:
            append = self._append_from_store if bucket_of(shard.url) else self._append_from_server
            await append(shard.url, partial, num_bytes)
            found = partial.digest.hexdigest()
            if shard.sha256 not in (None, found):
                partial.restart()
                raise _PassingError(f"its sha256 is {found}, the manifest says {shard.sha256}")

        await self._retried(shard, ask, lambda: partial.num_bytes)

    async def _append_from_server(self, url: str, partial: PartialFile, num_bytes: int) -> None:
        headers = {"Range": f"bytes={partial.num_bytes}-"} if partial.num_bytes else {}
        if headers and partial.tag:
            headers["If-Range"] = partial.tag
        async with self._opened(url, headers) as response:
            if _start_of(response) != partial.num_bytes:
                partial.restart()
                if response.status == PARTIAL:
                    raise _PassingError("the server sent another range than it was asked for")
            total = _total_of(response)
            if total not in (None, num_bytes):
                raise _PassingError(f"it has {total} bytes, not {num_bytes}")
            tag = response.headers.get("ETag")
            # A weak tag promises no equal bytes.
            partial.tag = None if tag is None or tag.startswith("W/") else tag
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                if partial.num_bytes + len(chunk) > num_bytes:
                    partial.restart()
                    raise _PassingError(f"more came than its {num_bytes} bytes")
                partial.append(chunk)
        if partial.num_bytes < num_bytes:
            raise _PassingError(f"only {partial.num_bytes} of {num_bytes} bytes came")

    async def _append_from_store(self, url: str, partial: PartialFile, num_bytes: int) -> None:
        while partial.num_bytes < num_bytes:
            end = min(partial.num_bytes + RANGE_BYTES, num_bytes)
            chunk = await self._ask_store(url, "cat_file", start=partial.num_bytes, end=end)
            if not 0 < len(chunk) <= end - partial.num_bytes:
                raise _PassingError(f"only {partial.num_bytes} of {num_bytes} bytes came")
            partial.append(chunk)

    @asynccontextmanager
    async def _opened(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer at the end of all redirects; raises RecordError or _PassingError unless it is good."""
        way = _read_way(url)
        while True:
            cookies = {"Cookie": way.cookies()} if way.cookies() else {}
            async with self.connections.get(way.target, {**headers, **cookies}) as response:
                if response.status not in REDIRECTS or "Location" not in response.headers:
                    if response.status not in {*ANSWERED, PARTIAL}:
                        problem = f"HTTP {response.status}"
                        if response.status in RETRYABLE_CODES:
                            raise _PassingError(problem, retry_after_s(response.headers))
                        raise RecordError(f"{mask_credentials(url)}: {problem}")
                    yield response
                    return
                if way.num_redirects == self.limits.max_redirects:
                    raise RecordError(f"{mask_credentials(url)}: more than {self.limits.max_redirects} redirects")
                if failure := way.go_on(response):
                    raise RecordError(f"{mask_credentials(url)}: {failure.error}")

    async def _ask_store(self, url: str, question: str, **arguments: int) -> Any:
        match, bucket = OBJECT.fullmatch(url), bucket_of(url)
        assert match
        assert bucket
        access = self.limits.buckets.get(bucket, Access.CREDENTIALS)
        # The scheme and bucket are those that were checked; a URL would be parsed again.
        place = f"{match['bucket']}/{match['key']}"
        try:
            store = await asyncio.to_thread(open_store, match["scheme"], access)
            return await asyncio.to_thread(getattr(store, question), place, **arguments)
        except ImportError as error:
            raise RecordError(f"{match['scheme']}:// URLs need a package that is not installed: {error}") from None
        except (FileNotFoundError, PermissionError) as error:
            raise RecordError(f"{url}: {error}") from None
        except Exception as error:  # each store's package raises its own family of errors, with no base in common
            raise _PassingError(str(error) or type(error).__name__) from None

    async def _retried(
        self, shard: Shard, ask: Callable[[], Awaitable[Result]], progress: Callable[[], int] = lambda: 0
    ) -> Result:
        """What `ask` returns at last; an attempt that brought a piece, as `progress` counts bytes, does not count."""
        attempt, most = 0, 0
        while True:
            try:
                return await ask()
            except _PassingError as error:
                failure = error
            except FieldguideError:
                raise
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                cause = getattr(error, "os_error", error)
                if isinstance(cause, PrivateAddressError):
                    raise RecordError(f"{shard}: {cause}") from None
                failure = _PassingError(str(error) or type(error).__name__)
            if progress() >= most + CHUNK_BYTES:
                attempt, most = 0, progress()
            if attempt == self.limits.retries:
                raise RecordError(f"{shard}: {failure}; given up after {attempt + 1} attempts") from None
            await asyncio.sleep(wait_before_retry(shard.url, attempt, failure.retry_after_s))
            attempt += 1


@asynccontextmanager
async def open_shard_source(limits: DownloadParams) -> AsyncIterator[ShardSource]:
    """A ShardSource in the running event loop."""
    async with open_connections(limits) as connections:
        yield ShardSource(connections, limits)


def _read_way(url: str) -> Way:
    try:
        return Way(read_target(url))
    except ValueError as error:
        raise RecordError(
            f"{mask_credentials(url)}: {error}; expected http://, https://, s3://bucket/key, gs://bucket/key or az://"
        ) from None


def _start_of(response: aiohttp.ClientResponse) -> int:
    """Where in the file the body begins; -1 if nobody says."""
    if response.status != PARTIAL:
        return 0
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return int(match["start"]) if match else -1


def _total_of(response: aiohttp.ClientResponse) -> int | None:
    """The length of the file, of which the body may be a part; None if nobody says."""
    if response.status == PARTIAL:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        return int(match["total"]) if match else None
    return response.content_length
