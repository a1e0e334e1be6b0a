"""Fetches shards group by group in a thread, never more than there is room for, while another thread reads."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fieldguide.errors import RecordError
from fieldguide.fetch.limits import DownloadParams
from fieldguide.records.reader_folder import ReaderFolder
from fieldguide.records.shard_list import Shard
from fieldguide.records.shard_source import ShardSource, open_shard_source

BLOCK_BYTES: Final = 4096
"""Files take whole blocks of the disk, and one more, as a generous share of the folder."""
BASE_BYTES: Final = 4 * BLOCK_BYTES
"""What the folders themselves take."""
ENDED: Final = "another iteration of this stream has begun, and the shards of this one are deleted"


class Room:
    """Bytes of disk that are not spoken for. One thread takes, another one gives back."""

    def __init__(self, num_bytes: int) -> None:
        self._free, self._is_closed = num_bytes, False
        self._changed = threading.Condition()

    def take(self, num_bytes: int) -> bool:
        """Wait until there is so much; False if nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._free >= num_bytes)
            self._free -= num_bytes
            return not self._is_closed

    def give(self, num_bytes: int) -> None:
        """Make so much free."""
        with self._changed:
            self._free += num_bytes
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


@dataclass(frozen=True)
class _Group:
    paths: list[Path]
    num_bytes: int


class ShardFetcher:
    """One pass over shards. `groups` starts it, `close` ends it at any time, from any thread."""

    def __init__(
        self, shards: Sequence[Shard], folder: ReaderFolder, max_bytes: int, width: int, limits: DownloadParams
    ) -> None:
        self._shards, self._folder, self._width, self._limits = shards, folder, width, limits
        self._max_bytes = max_bytes - BASE_BYTES
        self._room = Room(self._max_bytes)
        self._ready: queue.SimpleQueue[_Group | Exception | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="shard fetcher", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Task[None] | None = None
        self._is_closed = False
        self._closing = threading.Lock()
        self._held = ExitStack()

    def groups(self) -> Iterator[list[Path]]:
        """Paths of shards that lie on the disk until the next group is asked for. Raises RecordError."""
        try:
            self._place = self._held.enter_context(self._folder.held())
            self._thread.start()
            while (group := self._ready.get()) is not None:
                if isinstance(group, Exception):
                    raise group
                yield group.paths
                if self._is_closed:
                    raise RecordError(ENDED)
                for path in group.paths:
                    path.unlink(missing_ok=True)
                self._room.give(group.num_bytes)
        finally:
            self.close()

    def close(self) -> None:
        """Stop fetching, wait until nothing is written any more, and delete the folder."""
        with self._closing:
            self._is_closed = True
            self._room.close()
            if self._loop and self._work:
                with suppress(RuntimeError):  # the loop has ended of its own accord
                    self._loop.call_soon_threadsafe(self._work.cancel)
            if self._thread.ident is not None:
                self._thread.join()
            self._held.close()

    def _run(self) -> None:
        outcome: Exception | None = None
        try:
            asyncio.run(self._fetch())
        except asyncio.CancelledError:
            outcome = RecordError(ENDED)
        except Exception as error:  # for the thread that reads
            outcome = error
        finally:
            self._ready.put(outcome)

    async def _fetch(self) -> None:
        self._loop, self._work = asyncio.get_running_loop(), asyncio.current_task()
        number, at_once = 0, asyncio.Semaphore(self._limits.concurrency)
        async with open_shard_source(self._limits) as source:

            async def bring(shard: Shard, path: Path, num_bytes: int) -> None:
                async with at_once:
                    await source.bring(shard, path, num_bytes)

            async for group in self._plan(source):
                needed = sum(_on_disk(num_bytes) for _, num_bytes in group)
                if not await asyncio.to_thread(self._room.take, needed):
                    return
                paths = []
                for shard, _ in group:
                    paths.append(self._place / f"{number:06d}-{shard.name}")
                    number += 1
                await asyncio.gather(
                    *(bring(shard, path, size) for (shard, size), path in zip(group, paths, strict=True))
                )
                self._ready.put(_Group(paths, needed))

    async def _plan(self, source: ShardSource) -> AsyncIterator[list[tuple[Shard, int]]]:
        """Shards and their sizes, so many at once as are read together; two groups fit into the room where any do."""
        group: list[tuple[Shard, int]] = []
        total = 0
        for shard in self._shards:
            num_bytes = await source.measure(shard)
            needed = _on_disk(num_bytes)
            if needed > self._max_bytes:
                raise RecordError(
                    f"{shard} has {num_bytes / 1e9:.3g} GB, more than the room of {self._max_bytes / 1e9:.3g} GB that "
                    "disk_gb leaves to this reader; expected at least twice the largest shard for each reader"
                )
            if group and (len(group) == self._width or total + needed > self._max_bytes // 2):
                yield group
                group, total = [], 0
            group.append((shard, num_bytes))
            total += needed
        if group:
            yield group


def _on_disk(num_bytes: int) -> int:
    return (-(-num_bytes // BLOCK_BYTES) + 1) * BLOCK_BYTES
