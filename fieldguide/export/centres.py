"""Where the photos of each class lie among the embeddings: their mean, and how near to it each one is."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

PIECE_ROWS = 16384
"""Embeddings in memory at a time."""


@dataclass(frozen=True)
class Centres:
    """What n embedded photos say of their classes.

    All is seen from the mean of the photos: what they have in common as photos tells no two classes apart.
    """

    origin: np.ndarray
    """Mean of the photos' unit vectors: float64 [dim]."""
    vectors: np.ndarray
    """Direction of each class: float32 [num_classes, dim], of length 1, or 0 where a class has no photos."""
    nearness: np.ndarray
    """Cosine of each photo with its class: float32 [n]."""

    @classmethod
    def of(cls, embeddings: np.ndarray, labels: np.ndarray, num_classes: int) -> "Centres":
        """Of embeddings [n, dim], which may be a mapped file, with classes int64 [n]."""
        sums: np.ndarray = np.zeros((num_classes, embeddings.shape[1]), np.float64)
        for rows, piece in _pieces(embeddings):
            places = (labels[rows], np.arange(len(piece)))
            sums += csr_array((np.ones(len(piece)), places), shape=(num_classes, len(piece))) @ piece
        origin = sums.sum(axis=0) / max(1, len(labels))
        counts = np.bincount(labels, minlength=num_classes)
        vectors = unit(sums - counts[:, None] * origin).astype(np.float32)
        nearness: np.ndarray = np.zeros(len(labels), np.float32)
        for rows, piece in _pieces(embeddings):
            nearness[rows] = np.einsum("nd,nd->n", unit(piece - origin), vectors[labels[rows]])
        return cls(origin, vectors, nearness)

    def direct(self, embeddings: np.ndarray) -> np.ndarray:
        """The directions of embeddings [n, dim] as seen from the origin: float32 [n, dim], of length 1."""
        return unit(unit(np.asarray(embeddings, np.float32)) - self.origin).astype(np.float32)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows [n, dim] at length 1; one of zeros stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: np.ndarray = vectors / np.where(lengths > 0, lengths, 1)
    return scaled


def _pieces(embeddings: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, len(embeddings), PIECE_ROWS):
        rows = slice(start, start + PIECE_ROWS)
        yield rows, unit(np.asarray(embeddings[rows], np.float32))
