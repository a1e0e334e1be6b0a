"""Reads the bytes that fetch brought: from its shards or, of a stream, from the cache and where they came from."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from fieldguide.catalogue.schema import Status
from fieldguide.fetch.cache import open_cache
from fieldguide.fetch.download import open_downloader
from fieldguide.fetch.fetch_url import fetch_url
from fieldguide.fetch.ledger import Entry, ledger_path, read_entries
from fieldguide.fetch.limits import OriginalsParams, StoreKind
from fieldguide.files import written_whole
from fieldguide.system_errors import required
from fieldguide.tar import Member, read_member

STREAM: Final = "stream.json"
"""Below fetch's output where no originals are kept: the parameters by which they are asked for again."""
AHEAD: Final = 64
"""Photos of a stream in memory at once."""
ANYWHERE: Final = "/"


@dataclass(frozen=True)
class Location:
    """Where a photo is: `shard[offset : offset + num_bytes]`, or row `offset` of the ledger `shard`."""

    shard: str
    offset: int
    num_bytes: int


class Wanted(NamedTuple):
    """A photo of a stream."""

    url: str
    sha256: str


@dataclass(frozen=True)
class Originals:
    """All that fetch brought, for several processes at once."""

    fetch: Path
    num_readers: int = 1
    """Processes that share the requests at once which fetch was allowed."""

    def read(self, locations: Iterable[Location]) -> Iterator[bytes | None]:
        """Yield the bytes of each photo; fastest when neighbours share a shard.

        None stands for a photo of a stream that is gone, changed or, after all retries, out of reach.
        """
        if params := self.stream:
            return _read_stream(locations, self.fetch / "shards", params, self.num_readers)
        return _read_shards(locations, self.fetch / "shards")

    def ask(self, wanted: Sequence[Wanted]) -> list[bytes | None]:
        """The bytes of photos of a stream whose URLs and digests are known, from anywhere in it; None as in `read`."""
        assert self.stream, "photos that were kept are read by their locations"
        return asyncio.run(_find(wanted, self.stream, self.num_readers))

    @cached_property
    def stream(self) -> OriginalsParams | None:
        """How photos are asked for again, where none were kept."""
        file = self.fetch / STREAM
        return OriginalsParams.model_validate_json(file.read_text(encoding="utf-8")) if file.exists() else None


def write_stream(fetch: Path, params: OriginalsParams) -> None:
    """Say below `fetch` how its photos are asked for again, if it keeps none."""
    file = fetch / STREAM
    if params.store is StoreKind.STREAM:
        names = set(OriginalsParams.model_fields)
        with written_whole(file) as temporary:
            temporary.write_text(params.model_dump_json(include=names, indent=2) + "\n", encoding="utf-8")
    else:
        file.unlink(missing_ok=True)


def _read_shards(locations: Iterable[Location], shards: Path) -> Iterator[bytes]:
    """Raises RecordError where a shard is missing, or a photo's bytes are not those that were fetched."""
    opened, stream = None, None
    with ExitStack() as stack:
        for location in locations:
            if stream is None or location.shard != opened:
                stack.pop_all().close()
                shard = required(shards / location.shard, "fetch")
                opened, stream = location.shard, stack.enter_context(shard.open("rb"))
            yield read_member(stream, Member("", location.offset, location.num_bytes))


def _read_stream(
    locations: Iterable[Location], shards: Path, params: OriginalsParams, num_readers: int
) -> Iterator[bytes | None]:
    opened: str | None = None
    entries: list[Entry] = []
    remaining = iter(locations)
    while piece := list(islice(remaining, AHEAD)):
        wanted = []
        for location in piece:
            if location.shard != opened:
                opened, entries = location.shard, read_entries(ledger_path(shards, location.shard))
            entry = entries[location.offset]
            assert entry.sha256 is not None
            wanted.append(Wanted(entry.url, entry.sha256))
        yield from asyncio.run(_find(wanted, params, num_readers))


async def _find(wanted: Sequence[Wanted], params: OriginalsParams, num_readers: int) -> list[bytes | None]:
    with open_cache(params.cache_folder, params.cache_bytes) as cache:
        async with open_downloader(params, params.cache_folder / "limits", num_readers) as downloader:

            async def find(photo: Wanted) -> bytes | None:
                if (kept := await asyncio.to_thread(cache.get, photo.sha256)) is not None:
                    return kept
                # Any root will do: fetch checked that no path leaves its source's root; the digest checks the bytes.
                outcome = await fetch_url(photo.url, ANYWHERE, downloader, params.max_side)
                content = outcome.content
                if outcome.status != Status.OK or content is None:
                    return None
                if hashlib.sha256(content).hexdigest() != photo.sha256:
                    return None
                await asyncio.to_thread(cache.put, photo.sha256, content)
                return content

            return await asyncio.gather(*map(find, wanted))
