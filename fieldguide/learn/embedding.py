"""Frozen features of photos: computed once, chunk by chunk, kept as float16.

Serves the embed stage (every photo as it is) and distillation (every photo in K views). A killed run leaves finished
chunks behind, and the next run with the same fingerprint goes on after them.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from torch import nn

from fieldguide.engine import show_progress
from fieldguide.files import written_whole
from fieldguide.learn.checkpoint import Fingerprint
from fieldguide.learn.dataset import Key, PhotoDataset
from fieldguide.learn.network import classifier_of, extract_prelogits
from fieldguide.learn.predict import run_batches

BATCHES_PER_CHUNK = 32


def write_features(
    module: nn.Module,
    dataset: PhotoDataset,
    keys: Sequence[Key],
    path: Path,
    *,
    batch_size: int,
    workers: int,
    fingerprint: Fingerprint,
) -> None:
    """Write what the classifier sees of every key, in order, as `path`: float16 .npy [len(keys), dim].

    Does nothing if this very file was finished before. Chunks wait in a folder beside `path` until all are there.
    """
    digest = hashlib.sha256(json.dumps([fingerprint, path.name, batch_size]).encode()).hexdigest()
    waiting = path.with_name(f"{path.name}.chunks")
    done = waiting / f"{digest}.done"
    if done.exists() and path.exists():
        return
    mine = waiting / digest[:16]
    if waiting.exists() and not mine.exists():
        shutil.rmtree(waiting)
    mine.mkdir(parents=True, exist_ok=True)

    step = batch_size * BATCHES_PER_CHUNK
    chunks = [mine / f"{start:012d}.npy" for start in range(0, len(keys), step)]
    missing = [number for number, chunk in enumerate(chunks) if not chunk.exists()]
    batches = [
        list(keys[start : start + batch_size])
        for number in missing
        for start in range(number * step, min((number + 1) * step, len(keys)), batch_size)
    ]
    features = run_batches(module, dataset, batches, extract_prelogits, workers)
    rows = (part.numpy().astype(np.float16) for part in show_progress(features, len(batches), path.stem))
    for number in missing:
        expected = min((number + 1) * step, len(keys)) - number * step
        with written_whole(chunks[number]) as temporary, temporary.open("wb") as stream:
            np.save(stream, _take(rows, expected))
    # Drains the last batch's generator, which gives the module its mode back.
    assert next(rows, None) is None
    with written_whole(path) as temporary:
        shape = (len(keys), classifier_of(module).in_features)
        whole = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=shape)
        for number, chunk in enumerate(chunks):
            whole[number * step : (number + 1) * step] = np.load(chunk)
        whole.flush()
    done.touch()


def _take(parts: Iterator[np.ndarray], num_rows: int) -> np.ndarray:
    taken: list[np.ndarray] = []
    while sum(map(len, taken)) < num_rows:
        taken.append(next(parts))
    return np.concatenate(taken)


def remove_chunks(path: Path) -> None:
    """Delete what `write_features` kept beside `path` to resume from, once the whole stage is done."""
    shutil.rmtree(path.with_name(f"{path.name}.chunks"), ignore_errors=True)
