"""Perceptual fingerprints of photos and the near-duplicates they reveal.

The fingerprint is PDQ (Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019):
256 bits, each the sign of a low DCT frequency. Recompression and rescaling flip a few, an unrelated photo about half.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pdqhash
from PIL import Image

NUM_BITS = 256
Fingerprints = npt.NDArray[np.uint64]
"""Shape [num_photos, 4]."""

BLOCK = 1024


def fingerprint(image: Image.Image) -> bytes:
    """The PDQ fingerprint of an RGB image, 32 bytes."""
    bits, _quality = pdqhash.compute(np.asarray(image))
    return np.packbits(np.asarray(bits, dtype=np.uint8)).tobytes()


def stack_fingerprints(fingerprints: list[bytes]) -> Fingerprints:
    """Fingerprints of 32 bytes as one array."""
    return np.frombuffer(b"".join(fingerprints), dtype=np.uint64).reshape(-1, NUM_BITS // 64)


def find_near_duplicates(fingerprints: Fingerprints, max_distance: int) -> Iterator[tuple[int, int]]:
    """Yield every pair (i, j), i < j, whose fingerprints differ in at most `max_distance` bits, sorted."""
    for start in range(0, len(fingerprints), BLOCK):
        rows = fingerprints[start : start + BLOCK]
        matches = [
            _matches(rows, start, fingerprints[other : other + BLOCK], other, max_distance)
            for other in range(start, len(fingerprints), BLOCK)
        ]
        first, second = np.concatenate(matches, axis=1)
        for k in np.lexsort((second, first)):
            yield int(first[k]), int(second[k])


def _matches(
    rows: Fingerprints, start: int, others: Fingerprints, other: int, max_distance: int
) -> npt.NDArray[np.intp]:
    distance = np.zeros((len(rows), len(others)), dtype=np.uint16)
    for word in range(rows.shape[1]):
        distance += np.bitwise_count(rows[:, word, None] ^ others[None, :, word])
    first, second = np.nonzero(distance <= max_distance)
    pairs = np.stack([first + start, second + other])
    return pairs[:, pairs[0] < pairs[1]]


class Clusters:
    """Disjoint sets over 0 .. num - 1; a set is named by its smallest member."""

    def __init__(self, num: int) -> None:
        self._parent = list(range(num))

    def find(self, member: int) -> int:
        """The smallest member of the set that `member` is in."""
        parent = self._parent
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    def join(self, one: int, other: int) -> None:
        """Make one set of the two that hold `one` and `other`."""
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low
