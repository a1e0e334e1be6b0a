"""What the frozen embeddings know by themselves: the labels of the nearest training photos.

A floor for the trained networks: a model that does not beat it has learnt nothing that the backbone did not know.
"""

from pathlib import Path

import numpy as np
from sklearn.preprocessing import normalize

from fieldguide.errors import RecordError
from fieldguide.evaluate.answers import find_best
from fieldguide.learn.embed_files import features_path, ids_path
from fieldguide.records.reader import RecordSet

NO_VOTES = 1e-6
"""Share given to classes that no neighbour has, so that their logits are finite."""
PIECE_ROWS = 8192
"""Training photos that are compared with at once."""


def read_embeddings(directory: Path, records: RecordSet) -> np.ndarray:
    """The embeddings of all records, in their order: float16 [num_records, dim], mapped, not loaded.

    Raises RecordError where they are missing or belong to other records.
    """
    path = features_path(directory, records.split)
    try:
        ids = ids_path(directory, records.split).read_text(encoding="utf-8").split()
        embeddings: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise RecordError(f"{error.filename} is missing; run the embed stage first") from None
    except ValueError as error:
        raise RecordError(f"{path} is not an array: {error}") from None
    if ids != records.photo_ids or embeddings.ndim != 2 or len(embeddings) != len(ids):
        raise RecordError(f"{path} {list(embeddings.shape)} is not of the {len(records)} records of {records.split}")
    return embeddings


def find_neighbours(train: np.ndarray, queries: np.ndarray, num: int) -> tuple[np.ndarray, np.ndarray]:
    """The `num` nearest rows of `train` [m, dim] for each row of `queries` [n, dim], by cosine.

    Returns their indices int64 [n, num] and cosine similarities float32 [n, num], the nearest first, of equals the
    first. `train` may be a mapped file: a piece of it is in memory at a time.
    """
    num = min(num, len(train))
    if not len(queries):
        return np.empty((0, num), np.int64), np.empty((0, num), np.float32)
    indices: np.ndarray = np.empty((len(queries), 0), np.int64)
    similarities: np.ndarray = np.empty((len(queries), 0), np.float32)
    asked = normalize(np.asarray(queries, np.float32))
    for start in range(0, len(train), PIECE_ROWS):
        piece = asked @ normalize(np.asarray(train[start : start + PIECE_ROWS], np.float32)).T
        nearest = find_best(piece, num)
        indices = np.concatenate([indices, nearest + start], axis=1)
        similarities = np.concatenate([similarities, np.take_along_axis(piece, nearest, axis=1)], axis=1)
        order = np.argsort(-similarities, axis=1, kind="stable")[:, :num]
        indices, similarities = (np.take_along_axis(each, order, axis=1) for each in (indices, similarities))
    return indices, similarities


def vote(labels: np.ndarray, similarities: np.ndarray, num_classes: int, temperature: float) -> np.ndarray:
    """Log of each class's share of the votes: float32 [n, num_classes].

    A neighbour's vote is exp(similarity / temperature), as in Wu et al., Unsupervised Feature Learning via
    Non-Parametric Instance Discrimination, CVPR 2018, section 3.4. `labels` int64 [n, k] and `similarities`
    float32 [n, k] are those of the neighbours.
    """
    weights = np.exp((similarities - similarities.max(axis=1, keepdims=True)) / temperature)
    shares = np.zeros((len(labels), num_classes), np.float32)
    np.add.at(shares, (np.arange(len(labels))[:, None], labels), weights / weights.sum(axis=1, keepdims=True))
    logits: np.ndarray = np.log(shares + NO_VOTES)
    return logits
