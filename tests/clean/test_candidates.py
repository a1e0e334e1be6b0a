"""Candidates are found among few photos and among many, the nearest first, and no more than a photo's share."""

from collections.abc import Iterator

import numpy as np
import pytest

from fieldguide.clean import candidates as room
from fieldguide.clean.candidates import (
    DOUBTFUL,
    Edges,
    choose_tables,
    compare_all,
    compare_neighbours,
    find_candidates,
    find_recall,
    reach,
)


def as_pairs(edges: Iterator[Edges]) -> list[tuple[int, ...]]:
    """Pairs and their bits in order, each once."""
    return sorted({tuple(pair) for part in edges for pair in part.T.tolist()})


def flip(fingerprints: np.ndarray, num_bits: int, random: np.random.Generator) -> np.ndarray:
    """Copies that differ from their originals in `num_bits` random bits each."""
    bits = np.unpackbits(fingerprints.view(np.uint8), axis=1)
    places = np.argsort(random.random(bits.shape), axis=1)[:, :num_bits]
    np.put_along_axis(bits, places, 1 - np.take_along_axis(bits, places, axis=1), axis=1)
    return np.packbits(bits, axis=1).view(np.uint64)


@pytest.mark.parametrize("block", [1, 3, 1024])
def test_blocks_do_not_matter(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BLOCK", block)
    monkeypatch.setattr(room, "DOUBTFUL", 0)
    bits = np.random.default_rng(0).integers(0, 2**64, (10, 4), dtype=np.uint64)
    bits[7] = bits[2]
    bits[9] = bits[2] ^ np.uint64(0b1011)  # 4 words of 3 bits
    assert as_pairs(compare_all(bits, 11)) == [(2, 7, 0)]
    assert as_pairs(compare_all(bits, 12)) == [(2, 7, 0), (2, 9, 12), (7, 9, 12)]
    assert as_pairs(compare_all(bits, -1)) == []


@pytest.mark.parametrize("exact_up_to", [0, 100])
@pytest.mark.parametrize("num", [0, 1, 2])
def test_few_or_no_photos(num: int, exact_up_to: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "EXACT_UP_TO", exact_up_to)
    assert find_candidates(np.zeros((num, 4), np.uint64), 31).edges.T.tolist() == [[0, 1, 0]] * (num == 2)
    off = find_candidates(np.zeros((num, 4), np.uint64), -1)
    assert (off.edges.shape[1], off.searched_bits.tolist()) == (0, [-1] * num)


def test_banded_search_finds_what_it_promises_and_nothing_else() -> None:
    random = np.random.default_rng(1)
    originals = random.integers(0, 2**64, (20_000, 4), dtype=np.uint64)
    distances = [0, 16, 31, 31 + DOUBTFUL, 31 + DOUBTFUL + 1]
    bits = np.concatenate([originals, *(flip(originals[:1000], distance, random) for distance in distances)])
    pairs = np.concatenate(list(compare_neighbours(bits, 31)), axis=1)
    found = {(one, other) for one, other, _ in pairs.T.tolist()}
    recall = {
        distance: sum((one, 20_000 + 1000 * place + one) in found for one in range(1000)) / 1000
        for place, distance in enumerate(distances)
    }
    # Pairs at 31 bits are promised with 0.95; 0.92 is three standard deviations below.
    assert recall[0] == recall[16] == 1
    assert recall[31] > 0.92
    assert 0.1 < recall[31 + DOUBTFUL] < 0.5
    assert recall[31 + DOUBTFUL + 1] == 0
    assert (np.bitwise_count(bits[pairs[0]] ^ bits[pairs[1]]).sum(axis=1) == pairs[2]).all()
    assert (pairs[0] < pairs[1]).all()


@pytest.mark.parametrize("piece", [1, 7, 100])
def test_pieces_do_not_matter(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "DOUBTFUL", 0)
    random = np.random.default_rng(1)
    bits = random.integers(0, 2**64, (40, 4), dtype=np.uint64)
    # Groups of like photos, some larger than a piece.
    bits = np.concatenate([bits, flip(bits, 3, random), *(flip(bits[:3], 2, random) for _ in range(20))])
    whole = as_pairs(compare_neighbours(bits, 8))
    assert len(whole) > 500
    monkeypatch.setattr(room, "PIECE", piece)
    assert as_pairs(compare_neighbours(bits, 8)) == whole


@pytest.mark.parametrize("max_edges", [1, 10, 2**20])
def test_a_crowded_photo_brings_its_nearest_along_and_says_so(max_edges: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_PARTNERS", 2)
    monkeypatch.setattr(room, "MAX_EDGES", max_edges)
    monkeypatch.setattr(room, "BLOCK", 2)
    bits = np.zeros((6, 4), np.uint64)
    # Photo n has n bits of its own, so 0 is nearest to all; the last is a stranger.
    bits[1:5, 0] = [1, 0b110, 0b111000, 0b1111000000]
    bits[5] = 2**64 - 1
    found = find_candidates(bits, 31)
    assert found.edges.T.tolist() == [[0, 1, 1], [0, 2, 2], [0, 3, 3], [1, 2, 3], [0, 4, 4], [1, 3, 4], [1, 4, 5]]
    assert found.searched_bits.tolist() == [2, 3, 3, 4, 5, reach(31)]


def test_memory_is_bounded_by_leaving_out_early(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = np.random.default_rng(3).integers(0, 4, (300, 4), dtype=np.uint64)
    whole = find_candidates(bits, 2)
    monkeypatch.setattr(room, "MAX_EDGES", 1000)
    monkeypatch.setattr(room, "BLOCK", 7)
    again = find_candidates(bits, 2)
    # A pair that is dropped for nearer ones is never missed: it would be dropped at the end as well.
    assert again.edges.tolist() == whole.edges.tolist()
    assert again.searched_bits.tolist() == whole.searched_bits.tolist()


@pytest.mark.parametrize(("num", "max_distance", "expected"), [(2, 0, (1, 1)), (10**7, 48, (24, 128)), (9, -1, (4, 0))])
def test_tables(num: int, max_distance: int, expected: tuple[int, int]) -> None:
    assert choose_tables(num, max_distance) == expected


@pytest.mark.parametrize(
    ("num", "max_distance", "distance", "recall"),
    [
        (1000, 31, 31, 1),
        (1000, 31, 63, 1),
        (1000, 31, 64, 0),
        (1000, -1, 0, 0),
        (10**6, 31, 31, 0.95),
        (10**6, 31, 48, 0.46),
    ],
)
def test_how_far_the_search_sees(num: int, max_distance: int, distance: int, recall: float) -> None:
    assert find_recall(num, max_distance, distance) == pytest.approx(recall, abs=0.01)
