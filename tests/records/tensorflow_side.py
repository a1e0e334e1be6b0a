"""The parts of the tests that need TensorFlow; they run in a process of their own."""

import json
from pathlib import Path
from typing import Any

from fieldguide.errors import FieldguideError
from fieldguide.records.shard_list import LIMITS
from fieldguide.records.shard_stream import ShardStream
from fieldguide.records.tf_dataset import open_dataset
from fieldguide.records.writer import write_records
from tests.records.making import ENGINE, TAXONOMY


def read_with_tensorflow(directory: Path, splits: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Every record as tf.data and TensorFlow's own Example parser see it, JPEGs decoded by TensorFlow."""
    from fieldguide.records.quiet_tensorflow import tf

    def plain(record: dict[str, Any]) -> dict[str, Any]:
        values = {name: tensor.numpy() for name, tensor in record.items()}
        return {**values, "decoded_shape": tuple(tf.io.decode_jpeg(record["image/encoded"]).shape)}

    return {split: [plain(record) for record in open_dataset(directory, split, decode=False)] for split in splits}


def orders(directory: Path, calls: list[dict[str, Any]], num_epochs: int = 1) -> list[list[list[str]]]:
    """File names in the order in which `open_dataset` gives the training records, for each call and epoch."""

    def names(dataset: Any) -> list[str]:
        return [record["image/filename"].numpy().decode() for record in dataset]

    found = []
    for call in calls:
        dataset = open_dataset(directory, "train", **call)
        found.append([names(dataset) for _ in range(num_epochs)])
    return found


def batches(source: Any, split: str, options: dict[str, Any]) -> list[Any]:
    """The batches of a dataset as NumPy arrays; what a call raises, as text."""
    try:
        return list(open_dataset(source, split, **options).as_numpy_iterator())
    except FieldguideError as error:
        return [f"{type(error).__name__}: {error}"]


def cardinality(directory: Path, options: dict[str, Any]) -> int:
    """How many elements TensorFlow says there are."""
    return int(open_dataset(directory, "train", **options).cardinality())


def stream_twice(url: str, folder: Path, disk_gb: float, options: dict[str, Any]) -> list[list[str]]:
    """File names in two epochs of a stream through tf.data."""
    stream = ShardStream.open(
        url, folder=folder, disk_gb=disk_gb, seed=5, limits=LIMITS.model_copy(update={"allow_private": True})
    )
    dataset = open_dataset(stream, **options)
    return [[record["image/filename"].numpy().decode() for record in dataset] for _ in range(2)]


def several(calls: dict[str, tuple[Any, ...]]) -> dict[str, Any]:
    """The results of `{name: (function, *arguments)}`: TensorFlow takes seconds to start."""
    return {name: function(*arguments) for name, (function, *arguments) in calls.items()}


def write_with_tensorflow(path: Path, features: list[dict[str, list[Any]]]) -> None:
    """Write Examples as any TensorFlow program would."""
    from fieldguide.records.quiet_tensorflow import tf

    def feature(values: list[Any]) -> Any:
        if not values:
            return tf.train.Feature()
        if isinstance(values[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        if isinstance(values[0], float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in features:
            made = tf.train.Features(feature={name: feature(values) for name, values in row.items()})
            writer.write(tf.train.Example(features=made).SerializeToString())


def error_messages(resized: list[Path], out: Path) -> list[str]:
    """What `write_records` says about each of several damaged inputs."""
    messages = []
    for directory in resized:
        try:
            write_records(directory, TAXONOMY, out, records_per_shard=4, salt="salt", engine=ENGINE)
            messages.append("no error")
        except FieldguideError as error:
            messages.append(f"{type(error).__name__}: {error}")
    return messages


def read_by_manifest(directories: dict[str, Path]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """By folder and split every record, parsed by TensorFlow with nothing but what manifest.json says."""
    from fieldguide.records.quiet_tensorflow import tf

    return {
        name: {split: _read_split(tf, directory, split) for split in ("train", "val", "test")}
        for name, directory in directories.items()
    }


def _read_split(tf: Any, directory: Path, split: str) -> list[dict[str, Any]]:
    manifest = json.loads((directory / "manifest.json").read_text())
    spec = {
        name: tf.io.FixedLenFeature(it["shape"], {"bytes": tf.string}.get(it["dtype"], it["dtype"]))
        for name, it in manifest["features"].items()
    }
    files = [str(directory / shard["file"]) for shard in manifest["splits"][split]["shards"]]
    compression = {"none": ""}.get(manifest["compression"], manifest["compression"].upper())
    records = []
    for payload in tf.data.TFRecordDataset(files, compression):
        # TensorFlow itself would have written the same bytes.
        content = payload.numpy()
        assert tf.train.Example.FromString(content).SerializeToString(deterministic=True) == content
        parsed = tf.io.parse_single_example(payload, spec)
        records.append({name: tensor.numpy() for name, tensor in parsed.items()})
    return records
