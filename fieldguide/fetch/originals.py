"""Brings the bytes of every URL of a plan, each URL once, into shards in the order of the URLs."""

import asyncio
import hashlib
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from fieldguide.catalogue.rows import ARCHIVE_MEMBER
from fieldguide.catalogue.schema import Status
from fieldguide.engine import EngineParams, count_workers, map_shards
from fieldguide.fetch.cache import open_cache
from fieldguide.fetch.download import NO_CONDITIONS, Downloader, open_downloader
from fieldguide.fetch.fetch_url import fetch_url
from fieldguide.fetch.host_stats import HostStats
from fieldguide.fetch.ledger import Entry, digest_wanted, read_outcomes, write_ledger
from fieldguide.fetch.limits import OriginalsParams, StoreKind
from fieldguide.fetch.outcomes import Outcome
from fieldguide.fetch.plan import Plan, Wanted
from fieldguide.fetch.resume import Kept, Previous, Store, clear_stale, local_stamp
from fieldguide.progress import Watch
from fieldguide.tar import TarShardWriter

LONGEST_RUN: Final = 16
"""Shards that one worker makes in one go."""
OPEN_SHARDS: Final = 4
"""Of them under way at once, so that a host which answers after minutes holds up nothing else."""
SPOOL_BYTES: Final = 16 * 2**20
SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,5}")


@dataclass(frozen=True)
class ShardTask:
    """One shard to be made."""

    store: Store
    number: int
    wanted: list[Wanted]
    kept: list[Kept | None]
    """For each URL, what an earlier run brought."""


class Runs(Sequence[list[ShardTask]]):
    """Runs of shards to be made by one worker each, made when they are asked for: waiting ones take no memory."""

    def __init__(self, store: Store, plan: Plan, numbers: list[int], workers: int, previous: Previous) -> None:
        self._store, self._plan, self._previous = store, plan, previous
        # Equally many runs for each worker, of about equal length, so that all workers finish together.
        num_runs = workers * -(-len(numbers) // (workers * LONGEST_RUN))
        self._runs = [run.tolist() for run in np.array_split(numbers, num_runs)] if numbers else []

    def __len__(self) -> int:
        return len(self._runs)

    def __getitem__(self, index: Any) -> Any:
        return [self._task(number) for number in self._runs[index]]

    def _task(self, number: int) -> ShardTask:
        wanted = self._plan.shard(number)
        return ShardTask(self._store, number, wanted, self._previous.find(wanted))


class Arrivals:
    """How many photos there are of the shards `numbers`, and what became of them, by the ledgers that are written."""

    def __init__(self, store: Store, plan: Plan, numbers: list[int]) -> None:
        self._folder = store.ledger(0).parent
        self._awaited = {store.ledger(number).name for number in numbers}
        self.total = sum(plan.shard_size(number) for number in numbers)
        self._statuses: Counter[str] = Counter()

    def count(self) -> int:
        """Photos in finished shards."""
        for name in self._awaited.intersection(path.name for path in self._folder.iterdir()):
            self._statuses.update(read_outcomes(self._folder / name)["status"].to_pylist())
            self._awaited.remove(name)
        return self._statuses.total()

    def describe(self) -> str:
        """The statuses of those photos."""
        return ", ".join(f"{status} {count:,}" for status, count in self._statuses.most_common())


def bring_originals(plan: Plan, out: Path, params: OriginalsParams, engine: EngineParams) -> HostStats:
    """Make every shard of `plan` below `out`, keeping what earlier runs finished; return how long hosts took.

    Photos that cannot be had become lines of the shard's ledger. Raises OSError if the disk is full.
    """
    store = Store(out)
    numbers = clear_stale(store, plan, params)
    workers = max(1, min(count_workers(engine.workers), len(numbers)))
    runs = Runs(store, plan, numbers, workers, Previous(store, params))
    arrivals = Arrivals(store, plan, numbers)
    watch = Watch(arrivals.total, arrivals.count, arrivals.describe)
    times = HostStats()
    make = partial(make_shards, params=params, num_processes=workers)
    for of_run in map_shards(make, runs, engine, "fetch", watch):
        times += of_run
    return times


def make_shards(tasks: list[ShardTask], *, params: OriginalsParams, num_processes: int) -> HostStats:
    """Fetch the URLs of several shards and write each with its ledger; return how long hosts took.

    While a shard waits for the last of its photos, those of the next are asked for already. Requests start in the order
    of the URLs, so that the first shards are finished first.
    """

    async def make_all() -> HostStats:
        are_open = asyncio.Semaphore(OPEN_SHARDS)
        async with open_downloader(params, tasks[0].store.limits, num_processes) as downloader:

            async def make(task: ShardTask) -> None:
                async with are_open:
                    await _make_shard(task, downloader, params)

            await asyncio.gather(*map(make, tasks))
        return downloader.times

    return asyncio.run(make_all())


async def _make_shard(task: ShardTask, downloader: Downloader, params: OriginalsParams) -> None:
    store, number = task.store, task.number
    # Taken before reading: a file that changes meanwhile no longer matches, and the shard is made again.
    stamp = local_stamp(task.wanted)
    keep = _keep_in_cache if params.store is StoreKind.STREAM else _keep_in_tar
    entries, shard_bytes = await keep(task, downloader, params)
    write_ledger(
        store.ledger(number), entries, wanted=digest_wanted(task.wanted), params=params, shard_bytes=shard_bytes
    )
    if stamp is not None:
        store.record_stamp(number, stamp)


async def _keep_in_tar(task: ShardTask, downloader: Downloader, params: OriginalsParams) -> tuple[list[Entry], int]:
    """The lines of a ledger, after their bytes were packed in order; and the size of the tar."""
    tar = task.store.shard(task.number)
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES, dir=str(task.store.work)) as spool:
        places: dict[int, int] = {}

        def keep(position: int, content: bytes) -> None:
            places[position] = spool.tell()
            spool.write(content)

        def pack() -> None:
            with TarShardWriter(tar) as shard:
                for position, (item, entry) in enumerate(zip(task.wanted, entries, strict=True)):
                    if entry.status == Status.OK:
                        spool.seek(places[position])
                        member = shard.add(member_name(item), spool.read(entry.num_bytes or 0))
                        entries[position] = replace(entry, offset=member.offset)

        entries = await _collect(task, downloader, params, keep)
        await asyncio.to_thread(pack)
    return entries, tar.stat().st_size


async def _keep_in_cache(task: ShardTask, downloader: Downloader, params: OriginalsParams) -> tuple[list[Entry], int]:
    """The lines of a ledger, after their bytes went into the cache."""
    with open_cache(params.cache_folder, params.cache_bytes) as cache:
        entries = await _collect(task, downloader, params, lambda _, content: cache.put(_sha256(content), content))
    offsets = [position if entry.status == Status.OK else None for position, entry in enumerate(entries)]
    return [replace(entry, offset=offset) for entry, offset in zip(entries, offsets, strict=True)], 0


def member_name(item: Wanted) -> str:
    """`{photo_id}` with the URL's file name suffix, if that is a plain one."""
    match = ARCHIVE_MEMBER.fullmatch(item.url)
    path = match["member"] if match else re.split("[?#]", item.url)[0]
    suffix = Path(path).suffix.lower()
    return item.photo_id + (suffix if SUFFIX.fullmatch(suffix) else "")


async def _collect(
    task: ShardTask, downloader: Downloader, params: OriginalsParams, keep: Callable[[int, bytes], None]
) -> list[Entry]:
    """All URLs' lines, in order, without offsets.

    `keep` takes the position and bytes of each photo as they arrive, so a slow photo does not hold up the others and
    memory stays bounded by what is in flight.
    """

    async def bring(position: int, item: Wanted, kept: Kept | None) -> Entry:
        entry, content = await _bring(item, kept, downloader, params)
        if content is not None:
            keep(position, content)
        return entry

    return await asyncio.gather(*map(bring, range(len(task.wanted)), task.wanted, task.kept))


async def _bring(
    item: Wanted, kept: Kept | None, downloader: Downloader, params: OriginalsParams
) -> tuple[Entry, bytes | None]:
    """The line of one URL, and its bytes unless there are none to keep."""
    if kept is not None and kept.is_current and (taken := await asyncio.to_thread(_take_over, kept, params.store)):
        return taken
    conditions = kept.entry.conditions if kept is not None and not kept.is_current else NO_CONDITIONS
    outcome = await fetch_url(item.url, item.root, downloader, params.max_side, conditions)
    if kept is not None and outcome.is_unchanged:
        if taken := await asyncio.to_thread(_take_over, kept, params.store):
            return taken
        outcome = await fetch_url(item.url, item.root, downloader, params.max_side)
    return _entry(item, outcome), outcome.content


def _take_over(kept: Kept, store: StoreKind) -> tuple[Entry, bytes | None] | None:
    """What an earlier run had; None if its bytes are damaged."""
    entry = replace(kept.entry, offset=None)
    if entry.status != Status.OK or store is StoreKind.STREAM:
        return entry, None
    assert kept.entry.offset is not None
    assert entry.num_bytes is not None
    with kept.tar.open("rb") as stream:
        stream.seek(kept.entry.offset)
        content = stream.read(entry.num_bytes)
    return (entry, content) if _sha256(content) == entry.sha256 else None


def _entry(item: Wanted, outcome: Outcome) -> Entry:
    content = outcome.content
    return Entry(
        url=item.url,
        key=item.key(),
        status=outcome.status,
        http_status=outcome.http_status,
        error=outcome.error,
        sha256=None if content is None else _sha256(content),
        num_bytes=None if content is None else len(content),
        offset=None,
        etag=outcome.etag,
        last_modified=outcome.last_modified,
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
