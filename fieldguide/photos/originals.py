"""Brings the bytes of every URL of a plan into tar shards, each URL once, in order, one task per shard."""

import asyncio
import hashlib
import logging
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from fieldguide.catalogue.rows import ARCHIVE_MEMBER
from fieldguide.catalogue.schema import Status
from fieldguide.engine import EngineParams, count_workers, map_shards
from fieldguide.files import written_whole
from fieldguide.photos.download import Downloader, open_downloader
from fieldguide.photos.ledger import Entry, OriginalsParams, digest_rules, digest_wanted, write_ledger
from fieldguide.photos.local import read_unsent
from fieldguide.photos.outcomes import Outcome
from fieldguide.photos.plan import Plan, Wanted
from fieldguide.photos.resume import Kept, Previous, Store, clear_stale, local_stamp
from fieldguide.photos.shrink import shrink
from fieldguide.photos.tar import TarShardWriter

log = logging.getLogger(__name__)

SPOOL_BYTES: Final = 64 * 2**20
TELL_EVERY_S: Final = 10.0
SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,5}")


@dataclass(frozen=True)
class ShardTask:
    """One shard to be made."""

    store: Store
    number: int
    wanted: list[Wanted]
    kept: list[Kept | None]
    """For each URL, what an earlier run brought."""


class ShardTasks(Sequence[ShardTask]):
    """The tasks of a plan, each made when it is asked for, so that waiting tasks take no memory."""

    def __init__(self, store: Store, plan: Plan, numbers: list[int], previous: Previous) -> None:
        self._store, self._plan, self._numbers, self._previous = store, plan, numbers, previous

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: Any) -> Any:
        number = self._numbers[index]
        wanted = self._plan.shard(number)
        return ShardTask(self._store, number, wanted, self._previous.find(wanted))


def bring_originals(plan: Plan, out: Path, params: OriginalsParams, engine: EngineParams) -> None:
    """Make every shard of `plan` below `out/shards`, keeping what earlier runs finished.

    Photos that cannot be had become lines of the shard's ledger. Raises OSError if the disk is full.
    """
    store = Store(out)
    rules = digest_rules(params)
    again = frozenset(params.retry_failed)
    numbers = clear_stale(store, plan, rules, again)
    tasks = ShardTasks(store, plan, numbers, Previous(store, rules, again))
    share = params.share(max(1, min(count_workers(engine.workers), len(tasks))))
    statuses: Counter[str] = Counter()
    started = told = time.monotonic()
    for counts in map_shards(partial(make_shard, params=share), tasks, engine, "fetch"):
        statuses += counts
        now = time.monotonic()
        if now - told > TELL_EVERY_S:
            told = now
            by_status = ", ".join(f"{status} {count:,}" for status, count in statuses.most_common())
            log.info("fetch: %.1f photos/s; %s", statuses.total() / (now - started), by_status)


def make_shard(task: ShardTask, *, params: OriginalsParams) -> Counter[str]:
    """Fetch the URLs of one shard, pack them in order, then write the ledger; return how often each status came."""
    store, number = task.store, task.number
    # Taken before reading: a file that changes meanwhile no longer matches, and the shard is made again.
    stamp = local_stamp(task.wanted)
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES, dir=str(store.work)) as spool:
        arrivals = asyncio.run(_collect(task, params, spool))
        entries = []
        with TarShardWriter(store.shard(number)) as shard:
            for item, arrival in zip(task.wanted, arrivals, strict=True):
                entry = arrival.entry
                if entry.status == Status.OK:
                    spool.seek(arrival.spooled_at)
                    member = shard.add(member_name(item), spool.read(entry.num_bytes or 0))
                    entry = replace(entry, offset=member.offset)
                entries.append(entry)
    write_ledger(
        store.ledger(number),
        entries,
        wanted=digest_wanted(task.wanted),
        rules=digest_rules(params),
        shard_bytes=store.shard(number).stat().st_size,
    )
    if stamp is not None:
        with written_whole(store.stamp(number)) as temporary:
            temporary.write_text(stamp)
    return Counter(entry.status for entry in entries)


def member_name(item: Wanted) -> str:
    """`{photo_id}` with the URL's file name suffix, if that is a plain one."""
    match = ARCHIVE_MEMBER.fullmatch(item.url)
    path = match["member"] if match else re.split("[?#]", item.url)[0]
    suffix = Path(path).suffix.lower()
    return item.photo_id + (suffix if SUFFIX.fullmatch(suffix) else "")


@dataclass(frozen=True, slots=True)
class _Arrival:
    entry: Entry
    spooled_at: int


async def _collect(task: ShardTask, params: OriginalsParams, spool: IO[bytes]) -> list[_Arrival]:
    """All URLs' outcomes, in order. Bytes go to `spool` as they arrive, so a slow photo does not hold up the others
    and memory stays bounded by what is in flight."""

    async with open_downloader(params) as downloader:

        async def bring(item: Wanted, kept: Kept | None) -> _Arrival:
            outcome = await _outcome(item, kept, downloader, params)
            spooled_at = spool.tell()
            if outcome.content is not None:
                spool.write(outcome.content)
            return _Arrival(_entry(item, outcome), spooled_at)

        return await asyncio.gather(*map(bring, task.wanted, task.kept))


async def _outcome(item: Wanted, kept: Kept | None, downloader: Downloader, params: OriginalsParams) -> Outcome:
    if kept is not None and (outcome := await asyncio.to_thread(_take_over, kept)) is not None:
        return outcome
    if item.url.lower().startswith(("http://", "https://")):
        return await downloader.download(
            item.url, partial(_shrunk, max_side=params.max_side) if params.max_side else None
        )
    outcome = await asyncio.to_thread(read_unsent, item.url, item.root, params.max_bytes)
    return await _shrunk(outcome, params.max_side) if params.max_side else outcome


async def _shrunk(outcome: Outcome, max_side: int) -> Outcome:
    if not outcome.content:
        return outcome
    return replace(outcome, content=await asyncio.to_thread(shrink, outcome.content, max_side))


def _take_over(kept: Kept) -> Outcome | None:
    """The outcome an earlier run had; None if its bytes are damaged."""
    entry = kept.entry
    if entry.status != Status.OK:
        return Outcome(Status(entry.status), entry.http_status, entry.error)
    assert entry.offset is not None
    assert entry.num_bytes is not None
    with kept.tar.open("rb") as stream:
        stream.seek(entry.offset)
        content = stream.read(entry.num_bytes)
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        return None
    return Outcome(Status.OK, entry.http_status, content=content)


def _entry(item: Wanted, outcome: Outcome) -> Entry:
    content = outcome.content
    return Entry(
        url=item.url,
        key=item.key(),
        status=outcome.status,
        http_status=outcome.http_status,
        error=outcome.error,
        sha256=None if content is None else hashlib.sha256(content).hexdigest(),
        num_bytes=None if content is None else len(content),
        offset=None,
    )
