"""Frozen features of photos: computed once, piece by piece, kept as float16.

Serves the embed stage (every photo as it is, pieces.py) and distillation (every photo in K views, teachers.py). A
killed run leaves finished pieces in its folder, and the next one goes on after them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from fieldguide.digests import seal
from fieldguide.errors import TrainingError
from fieldguide.files import written_whole
from fieldguide.learn.dataset import Key, PhotoDataset
from fieldguide.learn.predict import Forward, run_batches
from fieldguide.progress import show_progress

BATCHES_PER_PIECE = 32


@dataclass(frozen=True)
class Piece:
    """Features that are computed and kept together: .npy [len(keys), dim], sealed; float16 if not packed otherwise."""

    path: Path
    keys: Sequence[Key]


def to_float16(features: np.ndarray) -> np.ndarray:
    """Features in half precision. Raises TrainingError where one is beyond it."""
    with np.errstate(over="ignore"):
        narrow: np.ndarray = features.astype(np.float16)
    if not np.isfinite(narrow).all():
        raise TrainingError(
            f"the backbone gives features up to {np.abs(features).max():g}, which float16 does not hold; expected at "
            f"most {np.finfo(np.float16).max:g}; choose another backbone or other weights"
        )
    return narrow


def compute_pieces(
    module: nn.Module,
    dataset: PhotoDataset,
    pieces: Sequence[Piece],
    forward: Forward,
    *,
    batch_size: int,
    workers: int,
    label: str | None,
    pack: Callable[[np.ndarray], np.ndarray] = to_float16,
) -> None:
    """Write what `forward` gives of the keys of every piece; a batch never holds photos of two.

    `pack` makes what is written of float32 [batch, values]. Progress is shown under `label`, None: not at all. Raises
    TrainingError where a feature is beyond float16.
    """
    batches = [
        list(piece.keys[start : start + batch_size])
        for piece in pieces
        for start in range(0, len(piece.keys), batch_size)
    ]
    features = run_batches(module, dataset, batches, forward, workers)
    shown = show_progress(features, len(batches), label, unit="batches") if label else features
    rows = (pack(part.numpy()) for part in shown)
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


def _take(parts: Iterator[np.ndarray], num_rows: int) -> np.ndarray:
    taken: list[np.ndarray] = []
    while sum(map(len, taken)) < num_rows:
        taken.append(next(parts))
    return np.concatenate(taken)
