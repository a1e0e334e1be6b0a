"""A ShardStream as a dataset of PyTorch: each process of a DataLoader reads its own part of it."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from fieldguide.records.reader import Record
from fieldguide.records.shard_stream import ShardStream
from fieldguide.records.torch.randomness import seed_of


class StreamDataset(IterableDataset[Any]):
    """What `to_item` makes of every record of a stream; of every sample, where its shards are tars.

    The order is a pure function of the stream's seed, the epoch and the number of processes. A process that has no
    shard, because there are fewer than processes, gives nothing.
    """

    def __init__(
        self, stream: ShardStream, to_item: Callable[[Any], Any], *, shuffle: int = 0, read: str = "records"
    ) -> None:
        """`shuffle` is how many wait in memory to be mixed, `read` one of records, examples and samples."""
        self._stream, self._to_item, self._shuffle, self._read = stream, to_item, shuffle, read
        # Shared with processes that live on from epoch to epoch (persistent_workers).
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Which epoch the next iteration is."""
        self._epoch.fill_(epoch)

    def __iter__(self) -> Iterator[Any]:
        """Items of this process's part."""
        worker, epoch = get_worker_info(), int(self._epoch)
        part = self._stream.divided(worker.id, worker.num_workers) if worker else self._stream
        records = getattr(part, self._read)(epoch)
        yield from map(self._to_item, mix(records, self._shuffle, seed_of(part.seed, epoch, *part.share)))


def mix(records: Iterator[Record], width: int, seed: int) -> Iterator[Record]:
    """The same records, each put off by a random while as `width` of them wait in memory; a pure function of `seed`."""
    generator = np.random.default_rng(seed)
    waiting: list[Record] = []
    for record in records:
        if len(waiting) < width:
            waiting.append(record)
            continue
        if not width:
            yield record
            continue
        place = int(generator.integers(width))
        waiting[place], record = record, waiting[place]
        yield record
    yield from (waiting[place] for place in generator.permutation(len(waiting)))
