"""Near-duplicates are found among few photos and among many, and strangers are not."""

import io
from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fieldguide.clean import near_duplicates as room
from fieldguide.clean.near_duplicates import (
    Edges,
    choose_tables,
    cluster_near_duplicates,
    compare_all,
    compare_neighbours,
    join,
)
from fieldguide.images.fingerprints import fingerprint, stack_fingerprints
from tests.images.pictures import blotches, encode


def recompressed(image: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(encode(image, quality=quality))).convert("RGB")


def as_pairs(edges: Iterator[Edges]) -> list[tuple[int, int]]:
    """Pairs in order, each once."""
    return sorted({(min(pair), max(pair)) for part in edges for pair in part.T.tolist()})


def flip(fingerprints: np.ndarray, num_bits: int, random: np.random.Generator) -> np.ndarray:
    """Copies that differ from their originals in `num_bits` random bits each."""
    bits = np.unpackbits(fingerprints.view(np.uint8), axis=1)
    places = np.argsort(random.random(bits.shape), axis=1)[:, :num_bits]
    np.put_along_axis(bits, places, 1 - np.take_along_axis(bits, places, axis=1), axis=1)
    return np.packbits(bits, axis=1).view(np.uint64)


def test_distances_tell_copies_from_strangers() -> None:
    original = blotches(1)
    copies = [recompressed(original, 30), original.resize((90, 70)), original.crop((3, 2, 197, 148)).resize((200, 150))]
    images = (original, *copies, blotches(2), blotches(3))
    bits = stack_fingerprints(pl.Series([fingerprint(image) for image in images]))
    assert cluster_near_duplicates(bits, 48).tolist() == [0, 0, 0, 0, 4, 5]


@pytest.mark.parametrize("block", [1, 3, 1024])
def test_blocks_do_not_matter(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BLOCK", block)
    bits = np.random.default_rng(0).integers(0, 2**64, (10, 4), dtype=np.uint64)
    bits[7] = bits[2]
    bits[9] = bits[2] ^ np.uint64(0b1011)  # 4 words of 3 bits
    assert as_pairs(compare_all(bits, 11)) == [(2, 7)]
    assert as_pairs(compare_all(bits, 12)) == [(2, 7), (2, 9), (7, 9)]
    assert as_pairs(compare_all(bits, -1)) == []


@pytest.mark.parametrize("exact_up_to", [0, 100])
@pytest.mark.parametrize("num", [0, 1, 2])
def test_few_or_no_photos(num: int, exact_up_to: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "EXACT_UP_TO", exact_up_to)
    assert cluster_near_duplicates(np.zeros((num, 4), np.uint64), 48).tolist() == [0] * num
    assert cluster_near_duplicates(np.zeros((num, 4), np.uint64), -1).tolist() == list(range(num))


def test_banded_search_finds_what_it_promises_and_nothing_else() -> None:
    random = np.random.default_rng(1)
    originals = random.integers(0, 2**64, (20_000, 4), dtype=np.uint64)
    distances = [0, 16, 31, 48, 49]
    copies = [flip(originals[:1000], distance, random) for distance in distances]
    found = {
        pair for edges in compare_neighbours(np.concatenate([originals, *copies]), 48) for pair in map(tuple, edges.T)
    }
    recall = {
        distance: sum((one, 20_000 + 1000 * place + one) in found for one in range(1000)) / 1000
        for place, distance in enumerate(distances)
    }
    # Pairs at 48 bits are promised with 0.95; 0.92 is three standard deviations below.
    assert recall[0] == recall[16] == 1
    assert recall[31] > 0.99
    assert recall[48] > 0.92
    assert recall[49] == 0
    bits = np.concatenate([originals, *copies])
    assert all(np.bitwise_count(bits[one] ^ bits[other]).sum() <= 48 for one, other in found)


@pytest.mark.parametrize("piece", [1, 7, 100])
def test_pieces_do_not_matter(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    bits = random.integers(0, 2**64, (40, 4), dtype=np.uint64)
    # Groups of like photos, some larger than a piece.
    bits = np.concatenate([bits, flip(bits, 3, random), *(flip(bits[:3], 2, random) for _ in range(20))])
    whole = as_pairs(compare_neighbours(bits, 8))
    assert len(whole) > 500
    monkeypatch.setattr(room, "PIECE", piece)
    assert as_pairs(compare_neighbours(bits, 8)) == whole


def test_a_thousand_like_photos_are_one_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "EXACT_UP_TO", 0)
    random = np.random.default_rng(2)
    like = np.repeat(random.integers(0, 2**64, (1, 4), dtype=np.uint64), 1000, axis=0)
    strangers = random.integers(0, 2**64, (1000, 4), dtype=np.uint64)
    mixed = np.stack([like, strangers], axis=1).reshape(-1, 4)
    assert cluster_near_duplicates(mixed, 48).tolist() == [0 if row % 2 == 0 else row for row in range(2000)]


def test_memory_is_bounded_by_joining_early(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = np.random.default_rng(3).integers(0, 4, (500, 4), dtype=np.uint64)
    whole = cluster_near_duplicates(bits, 2)
    monkeypatch.setattr(room, "MAX_EDGES", 10)
    monkeypatch.setattr(room, "BLOCK", 7)
    assert cluster_near_duplicates(bits, 2).tolist() == whole.tolist()


@pytest.mark.parametrize(("num", "max_distance", "expected"), [(2, 0, (1, 1)), (10**7, 48, (24, 128)), (9, -1, (4, 0))])
def test_tables(num: int, max_distance: int, expected: tuple[int, int]) -> None:
    assert choose_tables(num, max_distance) == expected


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19))))
def test_clusters_are_connected_components(joins: list[tuple[int, int]]) -> None:
    first = np.arange(20)
    for half in (joins[::2], joins[1::2]):
        first = join(first, [np.array(half, np.int64).reshape(-1, 2).T])
    neighbours = {member: {member} for member in range(20)}
    for one, other in joins:
        union = neighbours[one] | neighbours[other]
        for member in union:
            neighbours[member] = union
    assert first.tolist() == [min(neighbours[member]) for member in range(20)]
