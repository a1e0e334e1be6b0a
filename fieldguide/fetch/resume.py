"""What an earlier run left that is still good.

A shard stands if its ledger was made from the same URLs under the same rules and limits, holds nothing worth asking
again, and fits the shard's size. What a source says about a photo (its label, its licence) is no part of that. Bytes
read from local files stand only while those are unchanged, by stamps that lie beside fetch's output: sizes and times
differ from machine to machine, outputs must not.

Shards that do not stand are moved to `.work/previous/`, from where their downloads are taken over, so that a row
added at the top of a list shifts every shard and still asks for one photo; and where limits are widened, only what they
kept away is asked for. Downloads of another `refresh` are taken over where the server says that nothing changed.
"""

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from fieldguide.fetch.ledger import (
    KEPT_AWAY,
    Entry,
    LedgerHead,
    Limits,
    digest_rules,
    digest_wanted,
    ledger_path,
    read_head,
    read_outcomes,
)
from fieldguide.fetch.limits import OriginalsParams
from fieldguide.fetch.local import local_file
from fieldguide.fetch.plan import Plan, Wanted
from fieldguide.files import file_sha256, remove_partials, written_whole

WORK: Final = ".work"


@dataclass(frozen=True)
class Store:
    """The folders below fetch's output."""

    out: Path

    @property
    def shards(self) -> Path:
        """The tars of originals."""
        return self.out / "shards"

    @property
    def work(self) -> Path:
        """What only an unfinished run has."""
        return self.out / WORK

    @property
    def limits(self) -> Path:
        """Through which the workers keep the limits on requests together."""
        return self.work / "limits"

    @property
    def previous(self) -> Path:
        """Shards and ledgers, as siblings, whose downloads may be taken over."""
        return self.work / "previous"

    def shard(self, number: int) -> Path:
        """The file of shard `number`."""
        return self.shards / f"originals-{number:05d}.tar"

    def ledger(self, number: int) -> Path:
        """The ledger of shard `number`."""
        return ledger_path(self.shards, self.shard(number).name)

    def place(self, number: int) -> Path:
        """The file by which a photo of shard `number` is found: the tar or, where none is kept, the ledger."""
        tar = self.shard(number)
        return tar if tar.exists() else self.ledger(number)

    def stamp(self, number: int) -> Path:
        """The state of the local files that shard `number` was read from, and of its ledger."""
        return self.out.with_name(f".{self.out.name}-stamps") / self.shard(number).stem

    def record_stamp(self, number: int, local: str) -> None:
        """Write the stamp of shard `number`, whose ledger is written, as read from files of the state `local`."""
        with written_whole(self.stamp(number)) as temporary:
            temporary.write_text(self._stamp_text(number, local))

    def has_stamp(self, number: int, local: str) -> bool:
        """Whether shard `number` was read from files of the state `local`, and is the one that was."""
        try:
            return self.stamp(number).read_text() == self._stamp_text(number, local)
        except FileNotFoundError:
            return False

    def _stamp_text(self, number: int, local: str) -> str:
        # A checkout may have brought back a shard that an older state of the same files went into.
        return f"{local} {file_sha256(self.ledger(number))}"

    def prepare(self) -> None:
        """Make the folders, clear what a killed run left half-written, and withdraw the old catalogue."""
        for folder in (self.shards, self.ledger(0).parent, self.previous, self.stamp(0).parent):
            folder.mkdir(parents=True, exist_ok=True)
        (self.out / "catalogue.parquet").unlink(missing_ok=True)
        remove_partials(self.out)
        remove_partials(self.stamp(0).parent)

    def finish(self) -> None:
        """Remove what only an unfinished run needs."""
        shutil.rmtree(self.work)


@dataclass(frozen=True, slots=True)
class Kept:
    """A line of an earlier ledger and the tar that holds its bytes, if originals are kept."""

    entry: Entry
    tar: Path
    is_current: bool
    """Whether it is of the `refresh` at hand and needs no question."""


def clear_stale(store: Store, plan: Plan, params: OriginalsParams) -> list[int]:
    """Move or delete every shard that no longer stands; return the numbers of those to be made."""
    rules = digest_rules(params)
    to_make = []
    standing = set()
    for number in range(plan.num_shards):
        if _stands(store, number, plan.shard(number), params):
            standing.add(store.shard(number).stem)
        else:
            to_make.append(number)
    found = {file.stem for folder in (store.shards, store.ledger(0).parent) for file in folder.iterdir()}
    for stem in sorted(found - standing):
        _set_aside(store, store.shards / f"{stem}.tar", rules)
    return to_make


def local_stamp(wanted: Iterable[Wanted]) -> str | None:
    """A digest of place, size and time of every local file behind these URLs; None if there is no such file."""
    files = sorted({file for item in wanted if (file := local_file(item.url)) is not None})
    if not files:
        return None
    digest = hashlib.sha256()
    for file in files:
        try:
            status = file.stat()
            digest.update(f"{status.st_ino} {status.st_size} {status.st_mtime_ns}\n".encode())
        except (OSError, ValueError):
            digest.update(b"absent\n")
    return digest.hexdigest()


class Previous:
    """Finds earlier downloads by URL, in memory of some tens of bytes per download."""

    def __init__(self, store: Store, params: OriginalsParams) -> None:
        self._again = frozenset(params.retry_failed)
        rules, limits = digest_rules(params), Limits.of(params)
        tables: list[pa.Table] = []
        self._tars: list[Path] = []
        self._are_current: list[bool] = []
        self._kept_away: list[frozenset[str]] = []
        for ledger in sorted(store.previous.glob("*.parquet")):
            head, tar = read_head(ledger), ledger.with_suffix(".tar")
            if head is None or head.rules != rules or not head.limits.are_within(limits) or not _fits(tar, head):
                continue
            lines = read_outcomes(ledger)
            tables.append(lines.append_column("tar", pa.array(np.full(len(lines), len(self._tars), np.int32))))
            self._tars.append(tar)
            self._are_current.append(head.refresh == (params.refresh or ""))
            self._kept_away.append(KEPT_AWAY if head.limits != limits else frozenset())
        self._lines = pa.concat_tables(tables) if tables else None
        # All keys have one length, so that NumPy strips trailing zeros cannot confuse two.
        keys = self._lines["key"].to_numpy() if self._lines is not None else []
        self._keys = np.array(keys, dtype="S16")
        self._order = np.argsort(self._keys, kind="stable")

    def find(self, wanted: Sequence[Wanted]) -> list[Kept | None]:
        """For each URL its earlier download, if there is one that may be taken over."""
        if self._lines is None:
            return [None] * len(wanted)
        keys = np.array([item.key() for item in wanted], dtype="S16")
        starts = np.searchsorted(self._keys, keys, "left", sorter=self._order)
        ends = np.searchsorted(self._keys, keys, "right", sorter=self._order)
        return [self._best(self._order[start:end]) for start, end in zip(starts, ends, strict=True)]

    def _best(self, rows: Iterable[Any]) -> Kept | None:
        assert self._lines is not None
        changed_since = None
        for row in rows:
            line = self._lines.slice(int(row), 1).to_pylist()[0]
            number = line.pop("tar")
            kept = Kept(Entry(**line), self._tars[number], self._are_current[number])
            if not kept.entry.is_reusable or kept.entry.status in self._again | self._kept_away[number]:
                continue
            if kept.is_current:
                return kept
            if kept.entry.conditions:
                changed_since = kept
        return changed_since


def _stands(store: Store, number: int, wanted: list[Wanted], params: OriginalsParams) -> bool:
    head = read_head(store.ledger(number))
    if head is None or head.rules != digest_rules(params) or head.refresh != (params.refresh or ""):
        return False
    if head.limits != Limits.of(params):
        return False
    if head.num_retryable or head.wanted != digest_wanted(wanted):
        return False
    again = set(params.retry_failed)
    if again and again & set(read_outcomes(store.ledger(number))["status"].to_pylist()):
        return False
    local = local_stamp(wanted)
    return (local is None or store.has_stamp(number, local)) and _fits(store.shard(number), head)


def _fits(tar: Path, head: LedgerHead) -> bool:
    return not head.shard_bytes or (tar.exists() and tar.stat().st_size == head.shard_bytes)


def _set_aside(store: Store, tar: Path, rules: str) -> None:
    ledger = ledger_path(store.shards, tar.name)
    head = read_head(ledger)
    if head is not None and head.rules == rules and head.num_reusable:
        kept = store.previous / f"{head.wanted}.tar"
        # The tar goes first; a run killed between the two finds the ledger and finishes the move.
        if head.shard_bytes and _fits(tar, head):
            tar.replace(kept)
        if _fits(kept, head):
            ledger.replace(kept.with_suffix(".parquet"))
    tar.unlink(missing_ok=True)
    ledger.unlink(missing_ok=True)
