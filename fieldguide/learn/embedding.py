"""Frozen features of photos: computed once, piece by piece, kept as float16.

Serves the embed stage (every photo as it is, pieces.py) and distillation (every photo in K views). A killed run leaves
finished pieces in its folder (checkpoint.py), and the next one goes on after them.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from fieldguide.digests import is_sealed, seal
from fieldguide.errors import TrainingError
from fieldguide.files import written_whole
from fieldguide.learn.checkpoint import RunFolder
from fieldguide.learn.dataset import Key, PhotoDataset
from fieldguide.learn.network import classifier_of, extract_prelogits
from fieldguide.learn.predict import Forward, run_batches
from fieldguide.progress import show_progress

BATCHES_PER_PIECE = 32


@dataclass(frozen=True)
class Piece:
    """Features that are computed and kept together: float16 .npy [len(keys), dim], sealed."""

    path: Path
    keys: Sequence[Key]


def compute_pieces(
    module: nn.Module,
    dataset: PhotoDataset,
    pieces: Sequence[Piece],
    forward: Forward,
    *,
    batch_size: int,
    workers: int,
    label: str | None,
) -> None:
    """Write what `forward` gives of the keys of every piece; a batch never holds photos of two.

    Progress is shown under `label`, None: not at all. Raises TrainingError where a feature is beyond float16.
    """
    batches = [
        list(piece.keys[start : start + batch_size])
        for piece in pieces
        for start in range(0, len(piece.keys), batch_size)
    ]
    features = run_batches(module, dataset, batches, forward, workers)
    shown = show_progress(features, len(batches), label, unit="batches") if label else features
    rows = (_to_float16(part.numpy()) for part in shown)
    for piece in pieces:
        with written_whole(piece.path) as temporary, temporary.open("wb") as stream:
            np.save(stream, _take(rows, len(piece.keys)))
        seal(piece.path)
    # Drains the last batch's generator, which gives the module its mode back.
    assert next(rows, None) is None


def join_pieces(pieces: Sequence[Piece], path: Path, dim: int) -> None:
    """Write the rows of all pieces, in order, as `path`: float16 .npy [n, dim], whole or not at all."""
    # Written, not mapped: on a full disk a write fails with a message, a mapped page kills the process.
    with written_whole(path) as temporary, temporary.open("wb") as stream:
        header = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(np.float16)),
            "fortran_order": False,
            "shape": (sum(len(piece.keys) for piece in pieces), dim),
        }
        np.lib.format.write_array_header_1_0(stream, header)
        for piece in pieces:
            stream.write(np.load(piece.path).tobytes())


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
    """Write what the classifier sees of every key, in order, as `path` in `folder`: float16 .npy [len(keys), dim].

    Pieces wait in `folder` until all are there; one that is damaged is computed again. Raises TrainingError where a
    feature is beyond float16.
    """
    waiting = folder.path / f"{path.stem}.pieces"
    waiting.mkdir(exist_ok=True)
    step = batch_size * BATCHES_PER_PIECE
    pieces = [Piece(waiting / f"{start:012d}.npy", keys[start : start + step]) for start in range(0, len(keys), step)]
    missing = [piece for piece in pieces if not is_sealed(piece.path)]
    compute_pieces(module, dataset, missing, extract_prelogits, batch_size=batch_size, workers=workers, label=path.stem)
    join_pieces(pieces, path, classifier_of(module).in_features)
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
