"""Frozen features of photos: computed once, chunk by chunk, kept as float16.

Serves the embed stage (every photo as it is) and distillation (every photo in K views). A killed run leaves finished
chunks in its folder (checkpoint.py), and the next one goes on after them.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from torch import nn

from fieldguide.digests import is_sealed, seal
from fieldguide.errors import TrainingError
from fieldguide.files import written_whole
from fieldguide.learn.checkpoint import RunFolder
from fieldguide.learn.dataset import Key, PhotoDataset
from fieldguide.learn.network import classifier_of, extract_prelogits
from fieldguide.learn.predict import run_batches
from fieldguide.progress import show_progress

BATCHES_PER_CHUNK = 32


def write_features(
    module: nn.Module,
    dataset: PhotoDataset,
    keys: Sequence[Key],
    path: Path,
    *,
    folder: RunFolder,
    batch_size: int,
    workers: int,
) -> None:
    """Write what the classifier sees of every key, in order, as `path`: float16 .npy [len(keys), dim].

    Chunks wait in `folder`, sealed, until all are there; one that is damaged is computed again. A `path` in `folder` is
    sealed, too. Raises TrainingError where a feature is beyond float16.
    """
    waiting = folder.path / f"{path.stem}.chunks"
    waiting.mkdir(exist_ok=True)
    step = batch_size * BATCHES_PER_CHUNK
    chunks = [waiting / f"{start:012d}.npy" for start in range(0, len(keys), step)]
    missing = [number for number, chunk in enumerate(chunks) if not is_sealed(chunk)]
    batches = [
        list(keys[start : start + batch_size])
        for number in missing
        for start in range(number * step, min((number + 1) * step, len(keys)), batch_size)
    ]
    features = run_batches(module, dataset, batches, extract_prelogits, workers)
    rows = (_to_float16(part.numpy()) for part in show_progress(features, len(batches), path.stem, unit="batches"))
    for number in missing:
        expected = min((number + 1) * step, len(keys)) - number * step
        with written_whole(chunks[number]) as temporary, temporary.open("wb") as stream:
            np.save(stream, _take(rows, expected))
        seal(chunks[number])
    # Drains the last batch's generator, which gives the module its mode back.
    assert next(rows, None) is None
    with written_whole(path) as temporary:
        shape = (len(keys), classifier_of(module).in_features)
        # Written, not mapped: on a full disk a write fails with a message, a mapped page kills the process.
        with temporary.open("wb") as stream:
            dtype = np.lib.format.dtype_to_descr(np.dtype(np.float16))
            header = {"descr": dtype, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(stream, header)
            for chunk in chunks:
                stream.write(np.load(chunk).tobytes())
    # Features that stay in the run's folder need no chunks any more; those of an output do, until the stage is done.
    if path.parent == folder.path:
        seal(path)
        shutil.rmtree(waiting)


def _take(parts: Iterator[np.ndarray], num_rows: int) -> np.ndarray:
    taken: list[np.ndarray] = []
    while sum(map(len, taken)) < num_rows:
        taken.append(next(parts))
    return np.concatenate(taken)


def _to_float16(features: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        narrow: np.ndarray = features.astype(np.float16)
    if not np.isfinite(narrow).all():
        raise TrainingError(
            f"the backbone gives features up to {np.abs(features).max():g}, which float16 does not hold; expected at "
            f"most {np.finfo(np.float16).max:g}; choose another backbone or other weights"
        )
    return narrow
