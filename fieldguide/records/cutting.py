"""Where a split is cut into shards: by their size or their count, and never into fewer than there are readers."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

MEGABYTE: Final = 1_000_000


@dataclass(frozen=True)
class Cut:
    """One of the first two says how large a shard is."""

    records_per_shard: int | None
    shard_mb: float | None
    """About so many MB: shards get equal counts of records, in a random order."""
    min_shards: int = 1
    """Of a split that has so many records."""

    def bounds(self, num_records: int, num_bytes: int) -> list[int]:
        """The records at which shards begin, and the end of the last. [0] for no records; no shard is empty.

        Shards of `records_per_shard` are full but the last. All others differ by one record at most.
        """
        at_least = min(self.min_shards, num_records)
        if self.records_per_shard is not None and -(-num_records // self.records_per_shard) >= at_least:
            return [*range(0, num_records, self.records_per_shard), num_records] if num_records else [0]
        if self.shard_mb is not None:
            at_least = min(max(at_least, -(-num_bytes // int(self.shard_mb * MEGABYTE))), num_records)
        return [number * num_records // at_least for number in range(at_least + 1)] if at_least else [0]


@dataclass(frozen=True)
class ShardPlan:
    """One shard to write: its file and the photos that go into it, in order."""

    path: Path
    places: np.ndarray
    """PLACE [num_records], `tar` counting `tars`."""
    tars: list[Path]


def plan_shards(
    buckets: Iterable[np.ndarray], bounds: list[int], paths: list[Path], tars: list[Path]
) -> Iterator[list[ShardPlan]]:
    """The shards that are complete after each bucket of places; a shard takes from as many as it needs."""
    shards = deque(zip(paths, bounds[1:], strict=True))
    waiting: list[np.ndarray] = []
    begun = 0
    for bucket in buckets:
        planned, taken = [], 0
        while shards and shards[0][1] <= begun + len(bucket):
            path, end = shards.popleft()
            planned.append(_plan(path, np.concatenate([*waiting, bucket[taken : end - begun]]), tars))
            waiting, taken = [], end - begun
        waiting.append(bucket[taken:])
        begun += len(bucket)
        yield planned
    assert not shards, f"the buckets hold {begun} records, the shards end at {shards[-1][1]}"


def _plan(path: Path, places: np.ndarray, tars: list[Path]) -> ShardPlan:
    """With those tars only that it needs: a plan travels to another process."""
    used, numbers = np.unique(places["tar"], return_inverse=True)
    places["tar"] = numbers
    return ShardPlan(path, places, [tars[number] for number in used])
