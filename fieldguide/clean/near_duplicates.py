"""Clusters of photos whose fingerprints nearly agree: every pair compared in small sets, banded search in large ones.

Banded search is locality-sensitive hashing by bit sampling (Indyk and Motwani, 1998). Each of L tables sorts all photos
by k of the 256 bits, so that near-duplicates tend to become neighbours, and compares neighbours in full: nothing but a
true near-duplicate is ever reported, but one may be missed. With k growing as log2 of the number of photos the time is
near-linear, the memory a few numbers a photo.

One table misses a pair that differs in d bits, any d alike, with probability 1 - (1 - d/256)^k. L is chosen so that
pairs at `max_distance` itself are found with probability RECALL or, past MAX_TABLES, as far as these reach:

    photos        k    found at 16 bits    31 bits    48 bits
    32 768       16          1.00            1.00        0.95
    1 000 000    20          1.00            1.00        0.87
    10 000 000   24          1.00            1.00        0.59

Recompression, rescaling, brightness and watermarks flip up to 26 bits, a crop by 5 % about 48 (docs/decisions.md).
"""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import joblib
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fieldguide.images.fingerprints import NUM_BITS, Fingerprints

EXACT_UP_TO = 2**15
"""Photos; up to so many every pair is compared, in seconds."""
BLOCK = 1024

RECALL = 0.95
MAX_TABLES = 128
MAX_NEIGHBOURS = 32
"""How many places apart two photos with equal keys are still compared. Longer runs form one cluster, link by link."""
MAX_EDGES = 2**25
PIECE = 2**17
"""Photos at a time, so that what is computed of them stays in the processor's cache."""
SEED = 0

Edges = npt.NDArray[np.int64]
"""Pairs of positions, shape [2, num_pairs]."""


def cluster_near_duplicates(fingerprints: Fingerprints, max_distance: int) -> npt.NDArray[np.int64]:
    """For each photo the first member of its cluster: int64 [num_photos].

    Clusters are the connected components of pairs that differ in at most `max_distance` bits (-1: no pair does).
    """
    num = len(fingerprints)
    exact = num <= EXACT_UP_TO
    search = compare_all(fingerprints, max_distance) if exact else compare_neighbours(fingerprints, max_distance)
    first = np.arange(num)
    waiting: list[Edges] = []
    for edges in search:
        waiting.append(edges)
        if sum(part.shape[1] for part in waiting) > MAX_EDGES:
            first, waiting = join(first, waiting), []
    return join(first, waiting)


def join(first: npt.NDArray[np.int64], edges: list[Edges]) -> npt.NDArray[np.int64]:
    """The clusters of `first` (for each member the first of its cluster) after `edges` were added."""
    num = len(first)
    if not any(part.shape[1] for part in edges):
        return first
    one, other = np.concatenate([np.stack([np.arange(num), first]), *edges], axis=1)
    graph = coo_array((np.ones(len(one), np.bool_), (one, other)), shape=(num, num))
    num_clusters, labels = connected_components(graph, directed=False)
    starts = np.empty(num_clusters, np.int64)
    # Backwards: where a label occurs several times, the last assignment wins, and that is then the first position.
    starts[labels[::-1]] = np.arange(num - 1, -1, -1)
    return starts[labels]


def compare_all(fingerprints: Fingerprints, max_distance: int) -> Iterator[Edges]:
    """Every pair (i, j), i < j, that differs in at most `max_distance` bits, a block at a time."""
    for start in range(0, len(fingerprints), BLOCK):
        rows = fingerprints[start : start + BLOCK]
        for other in range(start, len(fingerprints), BLOCK):
            distance = count_differences(rows[:, None], fingerprints[None, other : other + BLOCK])
            one, two = np.nonzero(distance <= max_distance)
            pairs = np.stack([one + start, two + other])
            yield pairs[:, pairs[0] < pairs[1]]


@dataclass(frozen=True)
class Table:
    """Which bits a table sorts by, and how they are mixed into one number."""

    masks: npt.NDArray[np.uint64]
    """[words] the sampled bits."""
    factors: npt.NDArray[np.uint64]
    """[words] odd numbers that spread the sampled bits over the upper half of the key; a chance agreement of keys is
    seen when the pair is compared."""


def compare_neighbours(fingerprints: Fingerprints, max_distance: int) -> Iterator[Edges]:
    """Pairs that differ in at most `max_distance` bits and meet in one of the tables, a table at a time.

    NumPy sorts and gathers outside of Python's lock, so that threads share the tables; the result does not depend on
    their number.
    """
    num, words = fingerprints.shape
    num_bits, num_tables = choose_tables(num, max_distance)
    random = np.random.default_rng(SEED)
    tables = [_draw_table(random, num_bits, words) for _ in range(num_tables)]
    search = partial(_search_table, fingerprints=fingerprints, max_distance=max_distance)
    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        yield from pool.map(search, tables)


def _draw_table(random: np.random.Generator, num_bits: int, words: int) -> Table:
    sampled = np.zeros(NUM_BITS, np.uint8)
    sampled[random.choice(NUM_BITS, num_bits, replace=False)] = 1
    factors = random.integers(0, 2**64, words, dtype=np.uint64) | np.ones(words, np.uint64)
    return Table(np.packbits(sampled).view(np.uint64), factors)


def _search_table(table: Table, fingerprints: Fingerprints, max_distance: int) -> Edges:
    num, words = fingerprints.shape
    row_bits = np.uint64(max(1, (num - 1).bit_length()))
    ordered = np.empty(num, np.uint64)
    for start in range(0, num, PIECE):
        part = fingerprints[start : start + PIECE]
        keys = np.zeros(len(part), np.uint64)
        for word in range(words):
            keys += (part[:, word] & table.masks[word]) * table.factors[word]
        rows = np.arange(start, start + len(part), dtype=np.uint64)
        ordered[start : start + PIECE] = keys >> row_bits << row_bits | rows
    # The key in the upper bits, the row in the lower: one sort of plain numbers orders both.
    ordered.sort()
    found: list[Edges] = []
    for start in range(0, num, PIECE):
        # The last photos of a piece have neighbours in the next piece.
        piece = ordered[start : start + PIECE + MAX_NEIGHBOURS]
        found += _compare_equals(fingerprints, piece, row_bits, max_distance)
    return np.concatenate(found, axis=1) if found else np.empty((2, 0), np.int64)


def choose_tables(num: int, max_distance: int) -> tuple[int, int]:
    """k and L: sampled bits, and tables, for `num` photos."""
    num_bits = max(1, (num - 1).bit_length())
    meets = (1 - min(max(max_distance, 0), NUM_BITS - 1) / NUM_BITS) ** num_bits
    wanted = math.ceil(math.log(1 - RECALL) / math.log1p(-meets)) if meets < 1 else 1
    return num_bits, 0 if max_distance < 0 else min(wanted, MAX_TABLES)


def _compare_equals(
    fingerprints: Fingerprints, ordered: npt.NDArray[np.uint64], row_bits: np.uint64, max_distance: int
) -> Iterator[Edges]:
    """Compare the first PIECE photos with those that share their key and stand at most MAX_NEIGHBOURS further on."""
    num_rows = np.uint64(1) << row_bits
    starts = np.flatnonzero(ordered[:-1] ^ ordered[1:] < num_rows)
    starts = starts[starts < PIECE]
    for apart in range(1, MAX_NEIGHBOURS + 1):
        if not len(starts):
            return
        one, other = ((ordered[at] % num_rows).astype(np.int64) for at in (starts, starts + apart))
        # Whole rows by `take`: indexing copies them number by number, ten times as slowly.
        ones, others = np.take(fingerprints, one, axis=0), np.take(fingerprints, other, axis=0)
        near = count_differences(ones, others) <= max_distance
        yield np.stack([one[near], other[near]])
        # A photo without an equal key `apart` places on has none further on either.
        starts = starts[starts + apart + 1 < len(ordered)]
        starts = starts[ordered[starts] ^ ordered[starts + apart + 1] < num_rows]


def count_differences(ones: Fingerprints, others: Fingerprints) -> npt.NDArray[np.uint16]:
    """In how many bits fingerprints differ; shapes [..., 4] broadcast."""
    shape = np.broadcast_shapes(ones.shape, others.shape)
    distance = np.zeros(shape[:-1], np.uint16)
    for word in range(shape[-1]):
        distance += np.bitwise_count(ones[..., word] ^ others[..., word])
    return distance
