"""Near-duplicates are found, whatever the block they fall into, and unrelated photos are not."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fieldguide.photos import fingerprints as room
from fieldguide.photos.fingerprints import Clusters, find_near_duplicates, fingerprint, stack_fingerprints
from tests.photos.pictures import blotches, encode


def recompressed(image: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(encode(image, quality=quality))).convert("RGB")


def test_distances_tell_copies_from_strangers() -> None:
    original = blotches(1)
    copies = [recompressed(original, 30), original.resize((90, 70)), original.crop((3, 2, 197, 148)).resize((200, 150))]
    bits = stack_fingerprints([fingerprint(image) for image in (original, *copies, blotches(2), blotches(3))])
    assert list(find_near_duplicates(bits, 48)) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


@pytest.mark.parametrize("block", [1, 3, 1024])
def test_blocks_do_not_matter(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BLOCK", block)
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**64, (10, 4), dtype=np.uint64)
    bits[7] = bits[2]
    bits[9] = bits[2] ^ np.uint64(0b1011)  # 4 words of 3 bits
    assert list(find_near_duplicates(bits, 11)) == [(2, 7)]
    assert list(find_near_duplicates(bits, 12)) == [(2, 7), (2, 9), (7, 9)]
    assert list(find_near_duplicates(bits, -1)) == []


def test_no_photos_no_pairs() -> None:
    assert list(find_near_duplicates(stack_fingerprints([]), 48)) == []


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19))))
def test_clusters_are_connected_components(joins: list[tuple[int, int]]) -> None:
    clusters = Clusters(20)
    for one, other in joins:
        clusters.join(one, other)
    neighbours = {member: {member} for member in range(20)}
    for one, other in joins:
        union = neighbours[one] | neighbours[other]
        for member in union:
            neighbours[member] = union
    assert [clusters.find(member) for member in range(20)] == [min(neighbours[member]) for member in range(20)]
