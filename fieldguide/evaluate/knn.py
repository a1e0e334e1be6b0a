"""What the frozen embeddings know by themselves: the labels of the nearest training photos.

A floor for the trained networks: a model that does not beat it has learnt nothing that the backbone did not know.
"""

from pathlib import Path

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from fieldguide.errors import RecordError
from fieldguide.learn.embed_files import features_path, ids_path
from fieldguide.records.reader import RecordSet

NO_VOTES = 1e-6
"""Share given to classes that no neighbour has, so that their logits are finite."""


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

    Returns their indices int64 [n, num] and cosine similarities float32 [n, num], the nearest first.
    """
    num = min(num, len(train))
    if not len(queries):
        return np.empty((0, num), np.int64), np.empty((0, num), np.float32)
    # On unit vectors |a - b|^2 = 2 - 2 cos, and squared distances have the fast, chunked search.
    search = NearestNeighbors(n_neighbors=num, algorithm="brute", metric="sqeuclidean")
    search.fit(normalize(np.asarray(train, np.float32)))
    distances, indices = search.kneighbors(normalize(np.asarray(queries, np.float32)))
    return indices, (1 - distances / 2).astype(np.float32)


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
