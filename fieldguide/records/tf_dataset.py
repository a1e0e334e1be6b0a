"""The records as a tf.data pipeline, for users of Keras and as an independent witness in the tests."""

from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.records.manifest import Manifest

if TYPE_CHECKING:
    import tensorflow as tf


def open_dataset(directory: Path, split: str) -> "tf.data.Dataset":
    """The records of `split` in stored order, each a dict of tensors as the manifest's feature spec says.

    `image/encoded` is still a JPEG: map `tf.io.decode_jpeg` over it. Raises RecordError if the folder is not whole.
    """
    from fieldguide.records.quiet_tensorflow import tf

    manifest = Manifest.read(directory)
    dtypes = {"bytes": tf.string, "int64": tf.int64, "float32": tf.float32}
    spec = {name: tf.io.FixedLenFeature(it.shape, dtypes[it.dtype]) for name, it in manifest.features.items()}
    compression = {"none": "", "gzip": "GZIP", "zlib": "ZLIB"}[manifest.compression]
    files = [str(directory / entry.file) for entry in manifest.split(split).shards]
    dataset = (
        tf.data.TFRecordDataset(files, compression)
        if files
        else tf.data.Dataset.from_tensor_slices(tf.constant([], tf.string))
    )
    # Autograph would leave generated source files in the temporary folder, and there is nothing to convert.
    parse = tf.autograph.experimental.do_not_convert(lambda payload: tf.io.parse_single_example(payload, spec))
    return dataset.map(parse, num_parallel_calls=tf.data.AUTOTUNE)
