"""The tf.data pipeline: what it gives, in which order, from folders and from streams. TensorFlow runs apart, once."""

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fieldguide.engine import run_isolated
from fieldguide.records.reader import RecordSet
from tests.records.making import SIDE
from tests.records.shard_server import DiskWatch, serve_shards
from tests.records.tensorflow_side import batches, cardinality, orders, several, stream_twice

ORDERS: dict[str, dict[str, Any]] = {
    "stored": {},
    "three": {"shuffle": 100, "seed": 3},
    "again": {"shuffle": 100, "seed": 3},
    "four": {"shuffle": 100, "seed": 4},
    "unseeded": {"shuffle": 100},
    **{f"shard {index} of 2": {"share": (index, 2)} for index in range(2)},
    **{f"record {index} of 7": {"share": (index, 7), "shuffle": 5} for index in range(7)},
}
STREAM_GB = 150e3 / 1e9


@pytest.fixture(scope="module")
def names(finished: Path) -> list[str]:
    return [f"{photo_id}.jpg" for photo_id in RecordSet.open(finished, "train").photo_ids]


@pytest.fixture(scope="module")
def seen(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one process with TensorFlow saw of everything that these tests ask for."""
    folder = tmp_path_factory.mktemp("stream")
    lacking = Path(shutil.copytree(finished, tmp_path_factory.mktemp("lacking") / "tfrecord"))
    (lacking / "val-00000-of-00001.tfrecord").unlink()
    with serve_shards(finished) as server, DiskWatch(folder) as watch:
        server.faults = {"train-00001-of-00003.tfrecord": ["drop", "500"]}
        stream = (stream_twice, server.url("manifest.json"), folder, STREAM_GB)
        calls = {
            "orders": (orders, finished, list(ORDERS.values()), 2),
            "whole": (batches, finished, "val", {"batch": 7, "labels": "species"}),
            "ranks": (batches, finished, "val", {"batch": 4, "labels": ["species", "genus"], "image_size": 20}),
            "batches": (cardinality, finished, {"batch": 16, "shuffle": 9}),
            "share": (cardinality, finished, {"share": (1, 3)}),
            "split": (batches, finished, "valid", {}),
            "rank": (batches, finished, "val", {"labels": "tribe"}),
            "missing": (batches, lacking, "val", {}),
            "stream": (*stream, {}),
            "shuffled stream": (*stream, {"shuffle": 6, "seed": 1}),
        }
        results = run_isolated(several, calls)
    return {**results, "most on disk": watch.most, "left": list(folder.glob("reader-*"))}


def test_orders(seen: dict[str, Any], names: list[str]):
    found = dict(zip(ORDERS, seen["orders"], strict=True))
    assert found["stored"] == [names, names]
    assert found["three"] == found["again"] != found["four"]
    assert found["three"][0] != found["three"][1]
    for name in ("three", "four", "unseeded"):
        for order in found[name]:
            assert sorted(order) == sorted(names)
            assert order != names


@pytest.mark.parametrize(("kind", "sizes"), [("shard", {16, 24}), ("record", {5, 6})])
def test_readers_have_shares_of_their_own(seen: dict[str, Any], names: list[str], kind: str, sizes: set[int]):
    shares = [epochs[0] for name, epochs in zip(ORDERS, seen["orders"], strict=True) if name.startswith(kind)]
    assert sorted(name for share in shares for name in share) == sorted(names)
    assert set(map(len, shares)) == sizes


def test_batches_for_keras(seen: dict[str, Any], finished: Path):
    records = RecordSet.open(finished, "val")
    decoded = [Image.open(io.BytesIO(record.image)) for record in records]
    ((images, labels),) = seen["whole"]
    assert (images.dtype, images.shape, labels.dtype) == (np.uint8, (7, SIDE, SIDE, 3), np.int64)
    assert labels.tolist() == records.labels("species").tolist()
    assert (images == np.stack([np.asarray(image) for image in decoded])).all()

    first, second = seen["ranks"]
    assert (len(first[0]), len(second[0])) == (4, 3)
    assert first[1]["genus"].tolist() == records.labels("genus")[:4].tolist()
    resized = np.stack([np.asarray(image.resize((20, 20), Image.Resampling.BICUBIC)) for image in decoded])
    assert np.abs(np.concatenate([first[0], second[0]]).astype(int) - resized).max() <= 2


def test_an_epoch_has_a_length(seen: dict[str, Any]):
    assert (seen["batches"], seen["share"]) == (3, 16)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("split", "RecordError: no split 'valid' among the records; found train, val, test"),
        ("rank", "RecordError: the records have no photo with a label of rank 'tribe'; found species, genus"),
        ("missing", "val-00000-of-00001.tfrecord is missing; the manifest names it"),
    ],
)
def test_errors(seen: dict[str, Any], case: str, message: str):
    (error,) = seen[case]
    assert error.endswith(message)


@pytest.mark.parametrize("case", ["stream", "shuffled stream"])
def test_a_stream_is_read_within_its_bound(seen: dict[str, Any], names: list[str], case: str):
    first, second = seen[case]
    assert sorted(first) == sorted(second) == sorted(names)
    assert first != second
    assert 0 < seen["most on disk"] <= STREAM_GB * 1e9
    assert not seen["left"]
