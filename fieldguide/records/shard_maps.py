"""Shards of any number as memory maps, of which a process holds as many open as it may."""

import mmap
import resource
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fieldguide.errors import RecordError
from fieldguide.records.manifest import ShardEntry


class ShardMaps:
    """Maps shards as they are asked for. A map keeps its file open, so the one that was not used longest is closed.

    Cheap to pickle; every process maps for itself.
    """

    def __init__(self, directory: Path, entries: Sequence[ShardEntry]) -> None:
        self.paths = [directory / entry.file for entry in entries]
        self._num_bytes = [entry.num_bytes for entry in entries]
        self._maps: OrderedDict[int, mmap.mmap] = OrderedDict()

    def read(self, number: int, offset: int, length: int) -> bytes:
        """`length` bytes of shard `number`. Raises RecordError if it is missing or not as long as the manifest says."""
        mapped = self._maps.get(number)
        if mapped is None:
            mapped = self._open(number)
        else:
            self._maps.move_to_end(number)
        return mapped[offset : offset + length]

    def _open(self, number: int) -> mmap.mmap:
        shard, expected = self.paths[number], self._num_bytes[number]
        # Half of what this process may open; the rest is for others.
        while len(self._maps) >= max(1, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2):
            self._maps.popitem(last=False)[1].close()
        try:
            with shard.open("rb") as stream:
                mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise RecordError(f"{shard} is missing; the manifest names it") from None
        except ValueError:
            raise RecordError(f"{shard} is empty, the manifest says {expected} bytes") from None
        if len(mapped) != expected:
            raise RecordError(f"{shard} has {len(mapped)} bytes, the manifest says {expected}")
        self._maps[number] = mapped
        return mapped

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": OrderedDict()}
