"""A stream as a dataset of PyTorch: every record once, whatever the number of processes."""

from pathlib import Path

import pytest
from torch.utils.data import DataLoader

from fieldguide.learn.stream_dataset import StreamDataset, mix
from fieldguide.records.reader import Record, RecordSet
from fieldguide.records.shard_list import LIMITS
from fieldguide.records.shard_stream import ShardStream
from tests.records.shard_server import DiskWatch, serve_shards

DISK_GB = 400e3 / 1e9


def _name(record: Record) -> tuple[str, int]:
    return record.photo_id, record.labels["species"]


@pytest.mark.parametrize("workers", [0, 2])
def test_every_record_once_an_epoch(tfrecord: Path, tmp_path: Path, workers: int):
    expected = sorted(map(_name, RecordSet.open(tfrecord, "train")))
    folder = tmp_path / "stream"
    with serve_shards(tfrecord) as server, DiskWatch(folder) as watch:
        url, limits = server.url("manifest.json"), LIMITS.model_copy(update={"allow_private": True})
        stream = ShardStream.open(url, folder=folder, disk_gb=DISK_GB, seed=1, limits=limits)
        dataset = StreamDataset(stream, _name, shuffle=9)
        loader = DataLoader(
            dataset, batch_size=None, num_workers=workers, persistent_workers=workers > 0,
            multiprocessing_context="fork" if workers else None,
        )  # fmt: skip
        epochs = []
        for epoch in (0, 1, 0):
            dataset.set_epoch(epoch)
            epochs.append([(name, int(label)) for name, label in loader])
        del loader
    assert all(sorted(items) == expected for items in epochs)
    assert epochs[0] == epochs[2] != epochs[1]
    assert 0 < watch.most <= DISK_GB * 1e9
    assert not list(folder.glob("reader-*"))


@pytest.mark.parametrize("width", [0, 1, 5, 50])
def test_mixing_loses_nothing_and_moves_by_the_width(width: int):
    mixed = list(mix(iter(range(20)), width, seed=4))  # type: ignore[arg-type]
    assert sorted(mixed) == list(range(20))
    assert (mixed == list(range(20))) == (width == 0 or width == 1)
    assert mixed == list(mix(iter(range(20)), width, seed=4))  # type: ignore[arg-type]
    if width == 5:
        assert all(place >= item - width for place, item in enumerate(mixed))
