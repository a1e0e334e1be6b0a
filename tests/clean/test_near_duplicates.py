"""Pictures decide which candidates are copies: strangers on one kind of sheet stay, copies of photographs go."""

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fieldguide.clean.candidates import Edges
from fieldguide.clean.near_duplicates import cluster_near_duplicates, join, look_at_pictures
from fieldguide.engine import EngineParams
from fieldguide.fetch.reading import Originals
from fieldguide.images.fingerprints import fingerprint, stack_fingerprints
from fieldguide.tar import TarShardWriter
from tests.images.pictures import blotches, encode
from tests.images.specimens import COPIES, SPECIMENS, draw_specimens

NOWHERE = pl.DataFrame()


def accept(edges: Edges, places: pl.DataFrame) -> np.ndarray:
    return np.ones(edges.shape[1], np.bool_)


def cluster(images: list[Image.Image], folder: Path, workers: int = 1) -> list[int]:
    """The clusters of photos that lie in a shard, by their fingerprints and their pictures; plain ones stand alone."""
    prints = [fingerprint(image) for image in images]
    known = [place for place, one in enumerate(prints) if one]
    with TarShardWriter(folder / "shards" / "a.tar") as tar:
        members = [tar.add(f"{place:04d}.jpg", encode(images[place], quality=95)) for place in known]
    places = pl.DataFrame(
        {"shard": ["a.tar"] * len(known), "offset": [m.offset for m in members], "num_bytes": [m.size for m in members]}
    )
    engine = EngineParams(backend="loky", workers=workers)
    look_at = partial(look_at_pictures, originals=Originals(folder), engine=engine)
    bits = stack_fingerprints(pl.Series([one for one in prints if one], dtype=pl.Binary))
    first = dict(zip(known, cluster_near_duplicates(bits, places, 31, look_at).first.tolist(), strict=True))
    return [known[first[place]] if place in first else place for place in range(len(images))]


@pytest.mark.parametrize("kind", SPECIMENS)
def test_strangers_on_one_kind_of_ground_stay(kind: str, tmp_path: Path) -> None:
    assert cluster(draw_specimens(kind, 8), tmp_path) == list(range(8))


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_goes_whatever_was_done_to_it(copy: str, tmp_path: Path) -> None:
    images = [blotches(seed, 480, 360).point(lambda level: 40 + level * 0.6) for seed in range(3)]
    assert cluster([*images, *map(COPIES[copy], images)], tmp_path) == [0, 1, 2] * 2


def test_workers_do_not_matter(tmp_path: Path) -> None:
    images = [blotches(seed) for seed in (1, 2, 1, 3)]
    assert cluster(images, tmp_path, workers=2) == [0, 1, 0, 3]


def test_a_photo_that_is_gone_is_like_no_other() -> None:
    class Gone(Originals):
        def read(self, locations):  # type: ignore[no-untyped-def]
            return (None for _ in locations)

    places = pl.DataFrame({"shard": ["a"] * 2, "offset": [0, 1], "num_bytes": [1, 1]})
    engine = EngineParams(backend="loky", workers=1)
    edges = np.array([[0], [1], [0]])
    assert look_at_pictures(edges, places, Gone(Path()), engine).tolist() == [False]


def test_a_thousand_copies_are_one_cluster_after_about_a_thousand_looks() -> None:
    random = np.random.default_rng(2)
    like = np.repeat(random.integers(0, 2**64, (1, 4), dtype=np.uint64), 1000, axis=0)
    strangers = random.integers(0, 2**64, (1000, 4), dtype=np.uint64)
    looks: list[int] = []

    def count(edges: Edges, places: pl.DataFrame) -> np.ndarray:
        looks.append(edges.shape[1])
        return accept(edges, places)

    mixed = np.stack([like, strangers], axis=1).reshape(-1, 4)
    found = cluster_near_duplicates(mixed, NOWHERE, 31, count).first
    assert found.tolist() == [0 if row % 2 == 0 else row for row in range(2000)]
    assert sum(looks) < 1100


def test_pictures_may_refuse_what_fingerprints_propose() -> None:
    bits = np.zeros((4, 4), np.uint64)

    def only_even(edges: Edges, places: pl.DataFrame) -> np.ndarray:
        return (edges[:2] % 2 == 0).all(axis=0)

    assert cluster_near_duplicates(bits, NOWHERE, 31, only_even).first.tolist() == [0, 1, 0, 3]
    assert cluster_near_duplicates(bits, NOWHERE, -1, accept).first.tolist() == [0, 1, 2, 3]


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19))))
def test_clusters_are_connected_components(joins: list[tuple[int, int]]) -> None:
    first = np.arange(20)
    for half in (joins[::2], joins[1::2]):
        first = join(first, np.array(half, np.int64).reshape(-1, 2).T)
    neighbours = {member: {member} for member in range(20)}
    for one, other in joins:
        union = neighbours[one] | neighbours[other]
        for member in union:
            neighbours[member] = union
    assert first.tolist() == [min(neighbours[member]) for member in range(20)]
