"""Photos that may show the same picture: the pairs whose fingerprints nearly agree, each photo's nearest ones.

Every pair is compared in small sets. In large ones the search is banded: locality-sensitive hashing by bit sampling
(Indyk and Motwani, 1998). Each of L tables sorts all photos by k of the 256 bits, so that near-duplicates tend to
become neighbours, and compares neighbours in full: nothing but a near pair is ever reported, but one may be missed.
With k growing as log2 of the number of photos the time is near-linear, the memory a few numbers a photo.

One table misses a pair that differs in d bits, any d alike, with probability 1 - (1 - d/256)^k. L is chosen so that
pairs at `max_distance` itself are found with probability RECALL or, past MAX_TABLES, as far as these reach. Pairs up to
DOUBTFUL bits beyond are taken along as far as the same tables find them (`find_recall`). With max_distance 31:

    photos        k    L    found at 16 bits    31 bits    48 bits    62 bits
    32 768       15   23          1.00            0.96        0.57       0.24
    1 000 000    20   39          1.00            0.95        0.46       0.14
    10 000 000   24   65          1.00            0.95        0.36       0.08

Recompression, rescaling, brightness and watermarks flip up to 26 bits, crops 36 to 68 and more (docs/decisions.md).
"""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import joblib
import numpy as np
import numpy.typing as npt

from fieldguide.images.fingerprints import NUM_BITS, Fingerprints

EXACT_UP_TO = 2**15
"""Photos; up to so many every pair is compared, in seconds."""
BLOCK = 1024

RECALL = 0.95
MAX_TABLES = 128
MAX_NEIGHBOURS = 32
"""How many places apart two photos with equal keys are still compared; longer runs are linked piece by piece."""
MAX_EDGES = 2**24
POSITION_BITS = 28
"""Enough for 268 million photos; two positions and the bits that differ then fit into one number."""
PIECE = 2**17
"""Photos at a time, so that what is computed of them stays in the processor's cache."""
SEED = 0

MAX_PARTNERS = 8
"""How many candidates a photo brings along, its nearest. Before a fixed camera all photos are near to all others."""
DOUBTFUL = 32
"""Bits beyond `max_distance` at which crops and watermarks lie, and strangers, too."""

Edges = npt.NDArray[np.int64]
"""Pairs: the positions of two photos, the smaller first, and in how many bits they differ; shape [3, num_pairs]."""


@dataclass(frozen=True)
class Candidates:
    """Pairs that may be the same picture, the nearest first, each once."""

    edges: Edges
    searched_bits: npt.NDArray[np.int64]
    """[num_photos] up to how many differing bits all of a photo's candidates are among them: less than was searched
    where it has MAX_PARTNERS or more."""


def reach(max_distance: int) -> int:
    """In how many bits a pair may differ to be a candidate; -1: there are none."""
    return min(max_distance + DOUBTFUL, NUM_BITS // 2 - 1) if max_distance >= 0 else -1


def find_candidates(fingerprints: Fingerprints, max_distance: int) -> Candidates:
    """The pairs that differ in at most `reach(max_distance)` bits, no more than MAX_PARTNERS by each photo's choice."""
    exact = len(fingerprints) <= EXACT_UP_TO
    search = compare_all(fingerprints, max_distance) if exact else compare_neighbours(fingerprints, max_distance)
    found = Candidates(np.empty((3, 0), np.int64), np.full(len(fingerprints), reach(max_distance)))
    waiting: list[Edges] = []
    for edges in search:
        waiting.append(edges)
        if sum(part.shape[1] for part in waiting) > MAX_EDGES:
            found, waiting = keep_nearest(found, waiting), []
    return keep_nearest(found, waiting)


def keep_nearest(found: Candidates, more: list[Edges]) -> Candidates:
    """The MAX_PARTNERS nearest candidates of every photo, ties to those that come first; a pair counts for both."""
    one, other, bits = np.concatenate([found.edges, *more], axis=1)
    # Sorted as plain numbers, the nearest first. A pair that several tables found stands there once.
    keys = np.sort(bits << 2 * POSITION_BITS | one << POSITION_BITS | other)
    keys = keys[np.diff(keys, prepend=-1) != 0]
    mask = (1 << POSITION_BITS) - 1
    edges = np.stack([keys >> POSITION_BITS & mask, keys & mask, keys >> 2 * POSITION_BITS])
    photos = edges[:2].T.ravel()
    # The photo in the upper bits, its place in the lower: again one sort of plain numbers.
    place_bits = max(1, len(photos).bit_length())
    order = np.sort(photos << place_bits | np.arange(len(photos))) & ((1 << place_bits) - 1)
    starts = np.flatnonzero(np.diff(photos[order], prepend=-1))
    rank = np.empty(len(photos), np.int64)
    rank[order] = np.arange(len(photos)) - np.repeat(starts, np.diff(starts, append=len(photos)))
    searched_bits = found.searched_bits.copy()
    is_last = rank == MAX_PARTNERS - 1
    searched_bits[photos[is_last]] = edges[2].repeat(2)[is_last]
    return Candidates(edges[:, (rank < MAX_PARTNERS).reshape(-1, 2).any(axis=1)], searched_bits)


def find_recall(num: int, max_distance: int, distance: int) -> float:
    """The share of all pairs at `distance` bits that are found among `num` photos."""
    if distance > reach(max_distance):
        return 0.0
    if num <= EXACT_UP_TO:
        return 1.0
    num_bits, num_tables = choose_tables(num, max_distance)
    return 1 - (1 - (1 - distance / NUM_BITS) ** num_bits) ** num_tables


def compare_all(fingerprints: Fingerprints, max_distance: int) -> Iterator[Edges]:
    """Every pair that differs in at most `reach(max_distance)` bits, a block at a time."""
    limit = reach(max_distance)
    for start in range(0, len(fingerprints), BLOCK):
        rows = fingerprints[start : start + BLOCK]
        for other in range(start, len(fingerprints), BLOCK):
            distance = count_differences(rows[:, None], fingerprints[None, other : other + BLOCK])
            is_near = distance <= limit
            if other == start:
                is_near &= ~np.tri(len(rows), dtype=np.bool_)
            if np.count_nonzero(is_near) > MAX_PARTNERS * len(rows):
                is_near &= _are_nearest(distance, is_near) | _are_nearest(distance.T, is_near.T).T
            one, two = np.nonzero(is_near)
            yield np.stack([one + start, two + other, distance[one, two].astype(np.int64)])


def _are_nearest(distance: npt.NDArray[np.uint16], is_near: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Of each row the MAX_PARTNERS nearest columns, ties to the first: no others can be among the row's nearest."""
    order = np.where(is_near, distance, NUM_BITS).astype(np.int64) * distance.shape[1] + np.arange(distance.shape[1])
    last = min(MAX_PARTNERS, distance.shape[1]) - 1
    return order <= np.partition(order, last, axis=1)[:, last, None]


@dataclass(frozen=True)
class Table:
    """Which bits a table sorts by, and how they are mixed into one number."""

    masks: npt.NDArray[np.uint64]
    """[words] the sampled bits."""
    factors: npt.NDArray[np.uint64]
    """[words] odd numbers that spread the sampled bits over the upper half of the key; a chance agreement of keys is
    seen when the pair is compared."""


def compare_neighbours(fingerprints: Fingerprints, max_distance: int) -> Iterator[Edges]:
    """Pairs that differ in at most `reach(max_distance)` bits and meet in one of the tables, a table at a time.

    NumPy sorts and gathers outside of Python's lock, so that threads share the tables; the result does not depend on
    their number.
    """
    num, words = fingerprints.shape
    num_bits, num_tables = choose_tables(num, max_distance)
    random = np.random.default_rng(SEED)
    tables = [_draw_table(random, num_bits, words) for _ in range(num_tables)]
    search = partial(_search_table, fingerprints=fingerprints, limit=reach(max_distance))
    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        yield from pool.map(search, tables)


def _draw_table(random: np.random.Generator, num_bits: int, words: int) -> Table:
    sampled = np.zeros(NUM_BITS, np.uint8)
    sampled[random.choice(NUM_BITS, num_bits, replace=False)] = 1
    factors = random.integers(0, 2**64, words, dtype=np.uint64) | np.ones(words, np.uint64)
    return Table(np.packbits(sampled).view(np.uint64), factors)


def _search_table(table: Table, fingerprints: Fingerprints, limit: int) -> Edges:
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
        found += _compare_equals(fingerprints, piece, row_bits, limit)
    return np.concatenate(found, axis=1) if found else np.empty((3, 0), np.int64)


def choose_tables(num: int, max_distance: int) -> tuple[int, int]:
    """k and L: sampled bits, and tables, for `num` photos."""
    num_bits = max(1, (num - 1).bit_length())
    meets = (1 - min(max(max_distance, 0), NUM_BITS - 1) / NUM_BITS) ** num_bits
    wanted = math.ceil(math.log(1 - RECALL) / math.log1p(-meets)) if meets < 1 else 1
    return num_bits, 0 if max_distance < 0 else min(wanted, MAX_TABLES)


def _compare_equals(
    fingerprints: Fingerprints, ordered: npt.NDArray[np.uint64], row_bits: np.uint64, limit: int
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
        distance = count_differences(ones, others).astype(np.int64)
        near = distance <= limit
        yield np.stack([np.minimum(one, other)[near], np.maximum(one, other)[near], distance[near]])
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
