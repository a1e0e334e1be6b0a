"""Shards through a folder of bounded size: every record once, from servers that fail, and nothing left behind."""

import multiprocessing
import os
import pickle
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import s3fs
import webdataset

from fieldguide.engine import run_isolated
from fieldguide.errors import RecordError
from fieldguide.records import Shard, ShardStream
from fieldguide.records.manifest import Manifest
from fieldguide.records.reader import RecordSet
from fieldguide.records.shard_list import LIMITS, choose_shards
from fieldguide.records.writer import write_records
from tests.records.making import ENGINE, TAXONOMY, make_resized
from tests.records.shard_server import DiskWatch, ShardServer, dropping_proxy, serve_shards
from tests.s3_server import endpoint, serve_s3

BLOCK = 4096
HERE = LIMITS.model_copy(update={"allow_private": True})


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tfrecord folder of ten shards; read only."""
    resized = make_resized(tmp_path_factory.mktemp("resize"), {"train": 40, "val": 4, "test": 4})
    out = tmp_path_factory.mktemp("tfrecord")
    run_isolated(write_records, resized, TAXONOMY, out, records_per_shard=4, salt="salt", engine=ENGINE)
    return out


@pytest.fixture
def server(many: Path) -> Iterator[ShardServer]:
    with serve_shards(many) as running:
        yield running


@pytest.fixture(scope="module")
def bucket(many: Path) -> Iterator[Counter[str]]:
    """The set as `s3://flora/set` at a real endpoint behind connections that break; their counts."""
    with serve_s3() as address:
        store = s3fs.S3FileSystem()
        store.mkdir("flora")
        for path in many.iterdir():
            store.pipe_file(f"flora/set/{path.name}", path.read_bytes())
        host, port = address.rsplit(":", 1)
        with dropping_proxy(int(port), every=2, after_bytes=1500) as (broken, count), endpoint(f"{host}:{broken}"):
            yield count


def room_for(folder: Path, num_shards: int) -> float:
    """GB for so many of the largest shards of a folder."""
    largest = max(path.stat().st_size for path in folder.iterdir())
    return (4 * BLOCK + num_shards * (-(-largest // BLOCK) + 1) * BLOCK) / 1e9


def ids_of(folder: Path, split: str = "train") -> list[str]:
    return RecordSet.open(folder, split).photo_ids


def test_a_server_that_fails_gives_every_record_once_within_the_bound(many: Path, server: ShardServer, tmp_path: Path):
    names = [entry.file for entry in Manifest.read(many).splits["train"].shards]
    every = (
        ["drop"],
        ["500"],
        ["drop", "drop", "500"],
        ["short"],
        ["wrong"],
        ["plain"],
        ["429"],
        ["redirect"],
        ["drop", "plain"],
    )
    server.faults = dict(zip(names, map(list, every), strict=False)) | {"manifest.json": ["500", "drop"]}
    folder, disk_gb = tmp_path / "stream", room_for(many, 3)
    with DiskWatch(folder) as watch:
        stream = ShardStream.open(server.url("manifest.json"), folder=folder, disk_gb=disk_gb, limits=HERE)
        found = []
        for record in stream.records():
            found.append(record)
            time.sleep(0.002)  # so that the next shards have the time to come
    assert [record.photo_id for record in found] == ids_of(many)
    assert found == list(RecordSet.open(many, "train"))
    assert not any(server.faults.values())
    assert server.ranges[names[0]] == 1
    assert server.ranges[names[2]] >= 2
    assert 0 < watch.most <= disk_gb * 1e9
    assert watch.looks > 20
    assert not list(folder.glob("reader-*"))


def test_a_bucket_whose_connections_break_gives_every_record_once_within_the_bound(
    many: Path, bucket: Counter[str], tmp_path: Path
):
    folder, disk_gb = tmp_path / "stream", room_for(many, 3)
    with DiskWatch(folder) as watch:
        stream = ShardStream.open("s3://flora/set/manifest.json", folder=folder, disk_gb=disk_gb)
        assert [record.photo_id for record in stream.records()] == ids_of(many)
    assert bucket["dropped"] >= 3
    assert 0 < watch.most <= disk_gb * 1e9


def test_the_next_group_comes_while_one_is_read(many: Path, server: ShardServer, tmp_path: Path):
    stream = ShardStream.open(server.url("manifest.json"), folder=tmp_path, disk_gb=room_for(many, 4), limits=HERE)
    groups = stream.groups(width=2)
    first = next(groups)
    assert len(first) == 2
    end = time.monotonic() + 20
    while len(list(first[0].parent.iterdir())) < 4 and time.monotonic() < end:
        time.sleep(0.01)
    assert len(list(first[0].parent.iterdir())) == 4
    second = next(groups)
    assert not any(path.exists() for path in first)
    assert all(path.is_file() for path in second)
    groups.close()
    assert not list(tmp_path.glob("reader-*"))


@pytest.mark.parametrize("seed", [None, 17])
def test_readers_have_shares_of_their_own(seed: int | None):
    shards = [Shard(f"https://host/{number}") for number in range(11)]
    for epoch in range(3):
        shares = [choose_shards(shards, (index, 3), seed, epoch) for index in range(3)]
        assert sorted(shard.name for share in shares for shard in share) == sorted(shard.name for shard in shards)
        assert shares == [choose_shards(shards, (index, 3), seed, epoch) for index in range(3)]
    orders = {tuple(choose_shards(shards, (0, 1), seed, epoch)) for epoch in range(5)}
    assert len(orders) == (1 if seed is None else 5)


def test_parts_of_a_stream_read_it_together_within_its_bound(many: Path, server: ShardServer, tmp_path: Path):
    disk_gb = 2 * room_for(many, 2)
    url, folder = server.url("manifest.json"), tmp_path / "stream"
    half = ShardStream.open(url, folder=folder, disk_gb=disk_gb, share=(1, 2), seed=3, limits=HERE)
    whole = ShardStream.open(url, folder=tmp_path / "other", disk_gb=disk_gb, share=(0, 2), seed=3, limits=HERE)

    def read(part: ShardStream) -> list[str]:
        return [record.photo_id for record in pickle.loads(pickle.dumps(part)).records()]

    with DiskWatch(folder) as watch, ThreadPoolExecutor(2) as readers:
        found = list(readers.map(read, [half.divided(number, 2) for number in range(2)]))
    assert sorted([*found[0], *found[1], *read(whole)]) == sorted(ids_of(many))
    assert 0 < watch.most <= disk_gb * 1e9


def test_one_folder_is_of_one_reader(many: Path, server: ShardServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fieldguide.records.reader_folder.PATIENCE_S", 0.1)
    options = {"folder": tmp_path, "disk_gb": room_for(many, 2), "limits": HERE}
    stream = ShardStream.open(server.url("manifest.json"), **options)
    paths = stream.paths()
    next(paths)
    with pytest.raises(RecordError, match=r"reader-0-of-1 is in use: another process reads share 0 of 1"):
        next(ShardStream.open(server.url("manifest.json"), **options).paths())
    # The same stream may begin anew: then the iteration before is over.
    assert len(list(stream.records())) == 40
    with pytest.raises(RecordError, match="another iteration of this stream has begun"):
        next(paths)


def _read_and_stop(url: str, folder: Path, disk_gb: float, has_begun: "multiprocessing.synchronize.Event") -> None:
    stream = ShardStream.open(url, folder=folder, disk_gb=disk_gb, share=(1, 2), limits=HERE)
    for _ in stream.paths():
        has_begun.set()
        time.sleep(60)


def test_a_killed_reader_leaves_nothing_that_lasts(many: Path, server: ShardServer, tmp_path: Path):
    spawn = multiprocessing.get_context("spawn")
    has_begun, disk_gb, url = spawn.Event(), room_for(many, 2), server.url("manifest.json")
    reader = spawn.Process(target=_read_and_stop, args=(url, tmp_path, disk_gb, has_begun))
    reader.start()
    assert has_begun.wait(60)
    os.kill(reader.pid or 0, signal.SIGKILL)
    reader.join()
    assert list(tmp_path.glob("reader-1-of-2/*"))
    with DiskWatch(tmp_path / "reader-0-of-1") as watch:
        stream = ShardStream.open(url, folder=tmp_path, disk_gb=disk_gb, limits=HERE)
        assert len(list(stream.records())) == 40
    assert watch.most <= disk_gb * 1e9
    assert not list(tmp_path.glob("reader-*"))


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # webdataset leaves files to the collector
def test_tars_of_a_list_are_read_by_us_and_by_webdataset(resized: Path, tmp_path: Path):
    names = sorted(path.name for path in resized.glob("train-*.tar"))
    with serve_shards(resized) as server:
        server.faults = {names[0]: ["drop"]}
        options = {"folder": tmp_path, "disk_gb": room_for(resized, 2), "limits": HERE}
        stream = ShardStream.open([server.url(name) for name in names], **options)
        samples = list(stream.samples())
        theirs = [sample for path in stream.paths() for sample in webdataset.WebDataset(str(path), shardshuffle=False)]
        by_manifest = ShardStream.open(server.url("manifest.json"), "val", **options)
        assert len(list(by_manifest.samples())) == 7
    assert len(samples) == 40
    assert [(sample["__key__"], sample["jpg"], sample["json"]) for sample in samples] == [
        (sample["__key__"], sample["jpg"], sample["json"]) for sample in theirs
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": "valid"}, "no split 'valid' among the records; found train, val, test"),
        ({"disk_gb": 2e-5}, r"GB, more than the room of .* GB that disk_gb leaves to this reader; expected at least"),
        ({"limits": LIMITS}, r"127\.0\.0\.1 is not a public address"),
        ({"source": "ftp://host/manifest.json"}, r"ftp://host/manifest.json: not a URL of the form .*; expected http"),
        ({"source": "taxonomy.json"}, r"taxonomy.json is no manifest|taxonomy.json: .*"),
        ({"source": "absent.json"}, r"absent.json: HTTP 404"),
    ],
)
def test_errors_say_what_is_wrong(
    many: Path, server: ShardServer, tmp_path: Path, change: dict[str, object], message: str
):
    options = {"source": "manifest.json", "folder": tmp_path, "disk_gb": 1, "limits": HERE, **change}
    if "://" not in str(options["source"]):
        options["source"] = server.url(str(options["source"]))
    with pytest.raises(RecordError, match=message):
        list(ShardStream.open(**options).paths())


def test_bytes_that_stay_wrong_end_the_reading(many: Path, server: ShardServer, tmp_path: Path):
    limits = HERE.model_copy(update={"retries": 1})
    stream = ShardStream.open(server.url("manifest.json"), folder=tmp_path, disk_gb=1, limits=limits)
    server.faults = {stream.shards[0].name: ["wrong"] * 2}
    with pytest.raises(RecordError, match=r"train-00000-of-00010.tfrecord: its sha256 is .* given up after 2 attempts"):
        list(stream.paths())


def test_a_changed_manifest_is_not_believed(many: Path, tmp_path: Path):
    copy = Path(shutil.copytree(many, tmp_path / "copy"))
    (copy / "taxonomy.json").write_text((copy / "taxonomy.json").read_text().replace("Linum", "Lilium"))
    with serve_shards(copy) as server, pytest.raises(RecordError, match=r"taxonomy.json has sha256"):
        ShardStream.open(server.url("manifest.json"), folder=tmp_path, disk_gb=1, limits=HERE)
