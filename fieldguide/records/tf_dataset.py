"""The records as a tf.data pipeline: read, parsed and decoded on all cores, for Keras and any TensorFlow program.

    train = open_dataset("interim/tfrecord", "train", 64, 10_000, labels="species", seed=17)
    model.fit(train, epochs=10)

TensorFlow is imported when a dataset is opened, and not before; unlike where this project writes records, it may see
the GPU, on which the program that asks will train.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fieldguide.errors import RecordError
from fieldguide.records.manifest import Manifest
from fieldguide.records.shard_stream import ShardStream

if TYPE_CHECKING:
    import tensorflow as tf

ENCODED: Final = "image/encoded"
LABEL: Final = "image/class/{rank}/label"
SIDE_BY_SIDE: Final = 8
"""Shards whose records are mixed, where records are shuffled."""
DTYPES: Final = {"bytes": "string"}
"""Those of feature specs that TensorFlow calls otherwise."""
COMPRESSIONS: Final = {"none": "", "gzip": "GZIP", "zlib": "ZLIB"}


def open_dataset(
    records: Path | str | ShardStream,
    split: str = "train",
    batch: int | None = None,
    shuffle: int = 0,
    *,
    seed: int | None = None,
    labels: str | Sequence[str] | None = None,
    image_size: int | None = None,
    decode: bool = True,
    share: tuple[int, int] = (0, 1),
    repeat: bool = False,
) -> "tf.data.Dataset":
    """The records of `split` in a tfrecord folder, or those of a ShardStream, of which each iteration is an epoch.

    Each is a dict of tensors as the manifest's feature spec says; with `decode` the photo stands in it as `image`,
    uint8 [side, side, 3], in the place of `image/encoded`. With `labels`, a rank or several, it is `(image, label)` as
    Keras wants it, a label being int64 or, of several ranks, a dict of them. `image_size` resizes the photo, px, by
    antialiased bicubic (within 2 of 255 of what Pillow, and so the rest of this project, makes of it).

    `shuffle` is the number of records that wait in memory; 0 gives the stored order. With it, shards are mixed and
    their order changes too, in every iteration. With `seed` all this is the same in every run, on any number of cores
    (and another one after another `tf.random.set_seed`). `share` is `(index, count)` of several readers of a folder:
    every count-th shard, or record where there are fewer shards than readers. `repeat` never ends.

    Raises RecordError if the folder is not whole or has no such split or rank.
    """
    import tensorflow as tf

    if isinstance(records, ShardStream):
        manifest = _manifest_of(records)
        payloads = _stream_payloads(records, manifest, is_shuffled=bool(shuffle))
    else:
        manifest = Manifest.read(Path(records))
        payloads = _read_payloads(Path(records), manifest, split, share, seed, is_shuffled=bool(shuffle))
    if shuffle:
        payloads = payloads.shuffle(shuffle, seed=seed)
    if repeat:
        payloads = payloads.repeat()
    parse = _make_parser(manifest, [labels] if isinstance(labels, str) else labels, image_size, decode=decode)
    dataset = payloads.map(_plain(parse), num_parallel_calls=tf.data.AUTOTUNE)
    if batch:
        dataset = dataset.batch(batch, num_parallel_calls=tf.data.AUTOTUNE)
    options = tf.data.Options()
    options.deterministic = seed is not None or not shuffle
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(options)


def _read_payloads(
    folder: Path, manifest: Manifest, split: str, share: tuple[int, int], seed: int | None, *, is_shuffled: bool
) -> "tf.data.Dataset":
    """Serialised Examples of the shards in a folder."""
    import tensorflow as tf

    entries = manifest.split(split).shards
    for entry in entries:
        if not (folder / entry.file).is_file():
            raise RecordError(f"{folder / entry.file} is missing; the manifest names it")
    index, num_readers = share
    has_shard_each = len(entries) >= num_readers
    if has_shard_each:
        entries = entries[index::num_readers]
    else:
        # Readers that take turns must see one order.
        is_shuffled = False
    files = tf.data.Dataset.from_tensor_slices(tf.constant([str(folder / entry.file) for entry in entries], tf.string))
    if is_shuffled and entries:
        files = files.shuffle(len(entries), seed=seed)
    num_records = sum(entry.num_records for entry in entries)
    payloads = _mix(files, manifest, SIDE_BY_SIDE if is_shuffled else 1)
    if not has_shard_each:
        payloads, num_records = payloads.shard(num_readers, index), len(range(index, num_records, num_readers))
    # Keras then knows how long an epoch is, and a record too few is an error.
    return payloads.apply(tf.data.experimental.assert_cardinality(num_records))


def _stream_payloads(stream: ShardStream, manifest: Manifest, *, is_shuffled: bool) -> "tf.data.Dataset":
    """Serialised Examples of a stream's shards, another epoch of it in each iteration."""
    import tensorflow as tf

    epochs, width = count(), SIDE_BY_SIDE if is_shuffled else 1

    def groups() -> Iterator[list[str]]:
        for paths in stream.groups(next(epochs), width):
            yield [str(path) for path in paths]

    # One group after the other, none ahead: a group is deleted when the next one is asked for.
    lists = tf.data.Dataset.from_generator(groups, output_signature=tf.TensorSpec([None], tf.string))
    return lists.flat_map(_plain(lambda paths: _mix(tf.data.Dataset.from_tensor_slices(paths), manifest, width)))


def _mix(files: "tf.data.Dataset", manifest: Manifest, width: int) -> "tf.data.Dataset":
    """The records of files, `width` of which are read side by side."""
    import tensorflow as tf

    compression = COMPRESSIONS[getattr(manifest, "compression", "none")]
    read = _plain(lambda file: tf.data.TFRecordDataset(file, compression_type=compression))
    return files.interleave(read, cycle_length=width, num_parallel_calls=tf.data.AUTOTUNE if width > 1 else None)


def _make_parser(
    manifest: Manifest, ranks: Sequence[str] | None, image_size: int | None, *, decode: bool
) -> Callable[["tf.Tensor"], Any]:
    """From a serialised Example to what the dataset gives for it."""
    import tensorflow as tf

    spec = {
        name: tf.io.FixedLenFeature(it.shape, tf.as_dtype(DTYPES.get(it.dtype, it.dtype)))
        for name, it in manifest.features.items()
    }
    known = [name.split("/")[2] for name in spec if name.count("/") == 3 and name.endswith("/label")]
    for rank in ranks or ():
        if LABEL.format(rank=rank) not in spec or ENCODED not in spec:
            raise RecordError(f"the records have no photo with a label of rank '{rank}'; found {', '.join(known)}")
    side, has_photos = manifest.style.size, decode and ENCODED in spec
    # Pillow's own way to decode a JPEG; TensorFlow's usual one is faster by little and differs by up to 8 of 255.
    exact = {"dct_method": "INTEGER_ACCURATE"} if getattr(manifest.style, "format", "jpeg") == "jpeg" else None

    def read_image(content: tf.Tensor) -> tf.Tensor:
        if exact:
            image = tf.io.decode_jpeg(content, channels=3, **exact)
        else:
            image = tf.io.decode_image(content, channels=3, expand_animations=False)
        image = tf.ensure_shape(image, [side, side, 3])
        if image_size in (None, side):
            return image
        resized = tf.image.resize(image, [image_size, image_size], method="bicubic", antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)

    def parse(payload: tf.Tensor) -> Any:
        wanted = spec
        if ranks:
            wanted = {name: spec[name] for name in (ENCODED, *(LABEL.format(rank=rank) for rank in ranks))}
        features = tf.io.parse_single_example(payload, wanted)
        if has_photos:
            features["image"] = read_image(features.pop(ENCODED))
        if not ranks:
            return features
        found = {rank: features[LABEL.format(rank=rank)] for rank in ranks}
        return features["image" if has_photos else ENCODED], found if len(ranks) > 1 else found[ranks[0]]

    return parse


def _manifest_of(stream: ShardStream) -> Manifest:
    if not isinstance(stream.manifest, Manifest):
        raise RecordError("this stream names no features; expected one of a manifest.json of the tfrecord stage")
    return stream.manifest


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` without autograph, which would leave generated sources in the temporary folder; nothing needs it."""
    import tensorflow as tf

    converted: Callable[..., Any] = tf.autograph.experimental.do_not_convert(function)
    return converted
