"""The parts of the tests that need TensorFlow; they run in a process of their own."""

import json
from pathlib import Path
from typing import Any

from fieldguide.errors import FieldguideError
from fieldguide.records.tf_dataset import open_dataset
from fieldguide.records.writer import write_records
from tests.records.making import ENGINE, TAXONOMY


def read_with_tensorflow(directory: Path, splits: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Every record as tf.data and TensorFlow's own Example parser see it, JPEGs decoded by TensorFlow."""
    from fieldguide.records.quiet_tensorflow import tf

    def plain(record: dict[str, Any]) -> dict[str, Any]:
        values = {name: tensor.numpy() for name, tensor in record.items()}
        return {**values, "decoded_shape": tuple(tf.io.decode_jpeg(record["image/encoded"]).shape)}

    return {split: [plain(record) for record in open_dataset(directory, split)] for split in splits}


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
