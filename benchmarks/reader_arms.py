"""The readers of the benchmark, each as its users would write it: `python -m benchmarks.reader_arms READER FOLDER`.

A reader is a generator of float32 batches of 64 photos of 224 px, normalised; `ours, uint8` gives bytes. All epochs
come from one iteration, so that workers start once.
"""

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import psutil

BATCH, SIDE = 64, 224
EPOCHS = 1000
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def read_ours(folder: Path, workers: int, *, normalised: bool = True) -> Iterator[Any]:
    """RecordDataset with torchvision's crop and flip."""
    from torchvision.transforms import InterpolationMode, v2

    from fieldguide.records.order import BatchOrder
    from fieldguide.records.torch.dataset import RecordDataset
    from fieldguide.records.torch.drawing import to_input
    from fieldguide.records.torch.loading import load_batches

    yield
    prepare_torch(workers)
    crop = v2.RandomResizedCrop(SIDE, interpolation=InterpolationMode.BICUBIC)
    dataset = RecordDataset(folder / "records", "train", SIDE, transform=[crop, v2.RandomHorizontalFlip()], seed=1)
    order = BatchOrder(range(len(dataset)), BATCH, seed=1, views=None)
    for images, _ in load_batches(dataset, order.iterate(EPOCHS), workers):
        yield to_input(images, MEAN, STD) if normalised else images


def read_ours_uint8(folder: Path, workers: int) -> Iterator[Any]:
    """Likewise, before normalising."""
    return read_ours(folder, workers, normalised=False)


def read_timm(folder: Path, workers: int) -> Iterator[Any]:
    """create_loader over ImageFolder with the prefetcher, which collates bytes and normalises in this process."""
    import torch
    from timm.data.dataset_factory import create_dataset
    from timm.data.loader import create_loader

    yield
    prepare_torch(workers)
    dataset = create_dataset("", root=str(folder / "files"))
    loader = create_loader(
        dataset,
        input_size=(3, SIDE, SIDE),
        batch_size=BATCH,
        is_training=True,
        hflip=0.5,
        color_jitter=0.0,
        interpolation="bicubic",
        mean=MEAN,
        std=STD,
        num_workers=workers,
        device=torch.device("cpu"),
        use_multi_epochs_loader=True,
    )
    for _ in range(EPOCHS):
        for images, _ in loader:
            yield images


def read_webdataset(folder: Path, workers: int) -> Iterator[Any]:
    """WebDataset of a tar with torchvision on Pillow images, as its examples have it."""
    import webdataset
    from torchvision.transforms import InterpolationMode, v2

    yield
    prepare_torch(workers)
    crop = v2.RandomResizedCrop(SIDE, interpolation=InterpolationMode.BICUBIC)
    transform = v2.Compose([crop, v2.RandomHorizontalFlip(), v2.PILToTensor(), v2.ToDtype(_float32(), scale=True),
                            v2.Normalize(MEAN, STD)])  # fmt: skip
    # One tar for each worker, or all but one of them would have nothing to do.
    tars = [str(folder / "tars" / "train-00000.tar")] * (max(1, workers) * EPOCHS)
    dataset = (
        webdataset.WebDataset(tars, shardshuffle=False)
        .shuffle(1000)
        .decode("pil")
        .to_tuple("jpg", "cls")
        .map_tuple(transform, int)
        .batched(BATCH, partial=False)
    )
    for images, _ in webdataset.WebLoader(dataset, batch_size=None, num_workers=workers):
        yield images


def read_tf_data(folder: Path, workers: int) -> Iterator[Any]:
    """TFRecordDataset with decode_and_crop_jpeg, on as many threads as there are workers."""
    from fieldguide.records.quiet_tensorflow import tf

    yield
    spec = {"image/encoded": tf.io.FixedLenFeature([], tf.string)}
    mean, std = tf.constant(MEAN) * 255, tf.constant(STD) * 255

    def show(payload: Any) -> Any:
        encoded = tf.io.parse_single_example(payload, spec)["image/encoded"]
        begin, size, _ = tf.image.sample_distorted_bounding_box(
            tf.io.extract_jpeg_shape(encoded),
            tf.zeros([1, 0, 4]),
            area_range=(0.08, 1.0),
            aspect_ratio_range=(3 / 4, 4 / 3),
            min_object_covered=0.0,
            use_image_if_no_bounding_boxes=True,
        )
        window = tf.concat([begin[:2], size[:2]], 0)
        part = tf.image.decode_and_crop_jpeg(encoded, window, channels=3)
        part = tf.image.random_flip_left_right(tf.image.resize(part, (SIDE, SIDE), method="bicubic"))
        return (part - mean) / std

    files = sorted(map(str, (folder / "records").glob("*.tfrecord")))
    dataset = tf.data.Dataset.from_tensor_slices(files).interleave(
        tf.data.TFRecordDataset, cycle_length=4, num_parallel_calls=tf.data.AUTOTUNE
    )
    options = tf.data.Options()
    options.threading.private_threadpool_size = workers
    options.deterministic = False
    dataset = dataset.shuffle(1000).repeat().map(show, num_parallel_calls=tf.data.AUTOTUNE)
    yield from dataset.batch(BATCH).prefetch(tf.data.AUTOTUNE).with_options(options)


def read_bare(folder: Path, workers: int) -> Iterator[Any]:
    """Pillow's decoding and nothing else; no pixel leaves the processes."""
    return decode_only(folder, workers, _decode_by_pillow)


def read_bare_simplejpeg(folder: Path, workers: int) -> Iterator[Any]:
    """Likewise, with the decoder that ours uses."""
    return decode_only(folder, workers, _decode_by_simplejpeg)


def decode_only(folder: Path, workers: int, decode: Callable[[list[bytes]], int]) -> Iterator[Any]:
    """All batches of all epochs, decoded by as many processes as there are workers."""
    files = sorted((folder / "files").rglob("*.jpg"))
    yield
    contents = [file.read_bytes() for file in files]
    parts = [[contents[place % len(contents)] for place in range(start, start + BATCH)]
             for start in range(0, len(contents), BATCH)]  # fmt: skip
    # Not multiprocessing's Pool, which starts new workers in the place of those that are killed at the end.
    with ProcessPoolExecutor(max(1, workers), multiprocessing.get_context("fork")) as pool:
        for _ in range(EPOCHS):
            yield from pool.map(decode, parts)


def prepare_torch(workers: int) -> None:
    """As our own training does for all of them: freed memory is used again, workers have cores of their own."""
    import torch

    from fieldguide.memory import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) - workers))


def _decode_by_pillow(contents: list[bytes]) -> int:
    import io

    from PIL import Image

    for content in contents:
        Image.open(io.BytesIO(content)).convert("RGB")
    return len(contents)


def _decode_by_simplejpeg(contents: list[bytes]) -> int:
    from simplejpeg import decode_jpeg

    for content in contents:
        decode_jpeg(content, "RGB")
    return len(contents)


def _float32() -> Any:
    import torch

    return torch.float32


READERS: dict[str, Callable[[Path, int], Iterator[Any]]] = {
    "ours": read_ours,
    "timm": read_timm,
    "webdataset": read_webdataset,
    "tf.data": read_tf_data,
    "bare": read_bare,
    "bare simplejpeg": read_bare_simplejpeg,
    "ours, uint8": read_ours_uint8,
}


def cpu_seconds() -> float:
    """Of this process and its children."""
    total = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system
    return total


def main() -> None:
    """Read, measure, write the result, and leave at once: loaders take their time to end."""
    reader, folder, result, num_batches, workers = sys.argv[1:]
    batches = READERS[reader](Path(folder), int(workers))
    # What is imported up to here does not count.
    next(batches)
    started = time.perf_counter()
    next(batches)
    first = time.perf_counter() - started
    # The workers' queues fill up; what lay ready in them is not counted.
    for _ in range(8):
        next(batches)
    before, started = cpu_seconds(), time.perf_counter()
    for _ in range(int(num_batches)):
        next(batches)
    seconds, cpu = time.perf_counter() - started, cpu_seconds() - before
    photos = int(num_batches) * BATCH
    values = {"photos_per_s": photos / seconds, "first_s": first, "cpu_us": cpu / photos * 1e6}
    Path(result).write_text(json.dumps(values))
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(0)


if __name__ == "__main__":
    main()
