"""Reads shards that are too many for this machine's disk: the next ones arrive while one group is read, then deleted.

manifest = "s3://flora/tfrecord/manifest.json"
stream = ShardStream.open(manifest, "train", folder=Path("/scratch/flora"), disk_gb=20, seed=17)
for record in stream.records(epoch=0):
    ...
"""

import asyncio
import hashlib
from collections.abc import Coroutine, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.credentials import mask_credentials
from fieldguide.errors import RecordError
from fieldguide.fetch.limits import DownloadParams
from fieldguide.records.features import Record
from fieldguide.records.manifest import TAXONOMY, Manifest, SquareManifest
from fieldguide.records.reader_folder import ReaderFolder
from fieldguide.records.shard_contents import read_examples, read_records
from fieldguide.records.shard_fetcher import ShardFetcher
from fieldguide.records.shard_list import LIMITS, Shard, beside, choose_shards, list_shards, read_manifest
from fieldguide.records.shard_source import open_shard_source
from fieldguide.tar import read_samples

Result = TypeVar("Result")


@dataclass(frozen=True)
class ShardStream:
    """Shards on servers or in buckets, read through a folder of bounded size. Cheap to pickle.

    One iteration at a time: where another one begins, the one before ends.
    """

    shards: tuple[Shard, ...]
    folder: Path
    """For the shards on this disk; deleted behind every iteration, and what a killed one left by the next."""
    disk_gb: float
    """The most that this stream takes on disk at any moment, gigabytes of 1e9 bytes."""
    share: tuple[int, int] = (0, 1)
    """Which of how many readers this is. Each gets other shards; readers on one machine need folders of their own, or
    `divided`."""
    seed: int | None = None
    """Order of the shards in each epoch; None: always that of the list."""
    limits: DownloadParams = LIMITS
    manifest: Manifest | SquareManifest | None = None
    taxonomy: Taxonomy | None = None
    _current: list[ShardFetcher] = field(default_factory=list, repr=False, compare=False)
    """The iteration that goes on, if one does."""

    @classmethod
    def open(
        cls,
        source: str | Sequence[str | Shard],
        split: str = "train",
        *,
        folder: Path,
        disk_gb: float,
        share: tuple[int, int] = (0, 1),
        seed: int | None = None,
        limits: DownloadParams = LIMITS,
    ) -> Self:
        """A list of shards; or the shards of `split` that lie beside a manifest.json of the tfrecord or resize stage.

        The manifest is read at once, shards when they are iterated over. Raises RecordError where it cannot be had, is
        no manifest or has no such split.
        """
        if not isinstance(source, str):
            shards = [each if isinstance(each, Shard) else Shard(each) for each in source]
            return cls(tuple(shards), folder, disk_gb, share, seed, limits)
        manifest, taxonomy = _run_apart(_describe(source, limits))
        shards = list_shards(source, manifest, split)
        return cls(tuple(shards), folder, disk_gb, share, seed, limits, manifest, taxonomy)

    def divided(self, number: int, count: int) -> "ShardStream":
        """The part of reader `number` of `count` that share its shards, folder and disk: processes of a loader."""
        index, total = self.share
        share = (index + total * number, total * count)
        return replace(self, share=share, disk_gb=self.disk_gb / count, _current=[])

    def groups(self, epoch: int = 0, width: int = 1) -> Generator[list[Path], None, None]:
        """Shards on this disk, up to `width` at once; they are deleted when the next ones are asked for.

        There are fewer at once where `width` of them would take more than half the room. Raises RecordError where a
        shard cannot be had, is not the manifest's, or is larger than the room.
        """
        for before in self._current:
            before.close()
        chosen = choose_shards(self.shards, self.share, self.seed, epoch)
        place = ReaderFolder(self.folder, self.share)
        fetcher = ShardFetcher(chosen, place, int(self.disk_gb * 1e9), width, self.limits)
        self._current[:] = [fetcher]
        try:
            yield from fetcher.groups()
        finally:
            fetcher.close()

    def paths(self, epoch: int = 0) -> Iterator[Path]:
        """One shard on this disk after the other; each is deleted when the next is asked for."""
        with closing(self.groups(epoch)) as groups:
            for group in groups:
                yield from group

    def records(self, epoch: int = 0) -> Iterator[Record]:
        """Every record of the shards, in their order. Needs the manifest. Raises RecordError where one is damaged."""
        assert self.taxonomy, "records need the manifest.json of the tfrecord stage: ShardStream.open"
        for path in self.paths(epoch):
            yield from read_records(path, self.compression, self.taxonomy)

    def examples(self, epoch: int = 0) -> Iterator[dict[str, Any]]:
        """The features of every record by name, of any kind of TFRecord shards."""
        for path in self.paths(epoch):
            yield from read_examples(path, self.compression)

    def samples(self, epoch: int = 0) -> Iterator[dict[str, Any]]:
        """Every sample of tar shards as the webdataset library has it: `__key__`, `__url__`, bytes by extension."""
        for path in self.paths(epoch):
            for key, members in read_samples(path):
                yield {"__key__": key, "__url__": str(path), **members}

    @property
    def compression(self) -> str:
        """Of TFRecord shards: `none`, `gzip` or `zlib`."""
        return str(getattr(self.manifest, "compression", "none"))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_current": []}


async def _describe(url: str, limits: DownloadParams) -> tuple[Manifest | SquareManifest, Taxonomy | None]:
    """The manifest at `url`, and the taxonomy beside one of records."""
    async with open_shard_source(limits) as source:
        manifest = read_manifest(url, await source.read(url))
        if not isinstance(manifest, Manifest):
            return manifest, None
        address = beside(url, TAXONOMY)
        content = await source.read(address)
        if (digest := hashlib.sha256(content).hexdigest()) != manifest.tables.get(TAXONOMY):
            raise RecordError(
                f"{mask_credentials(address)} has sha256 {digest}, the manifest says {manifest.tables.get(TAXONOMY)}"
            )
        return manifest, Taxonomy.model_validate_json(content)


def _run_apart(work: Coroutine[Any, Any, Result]) -> Result:
    """What an asynchronous function returns, also where this thread has an event loop of its own (notebooks do)."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
