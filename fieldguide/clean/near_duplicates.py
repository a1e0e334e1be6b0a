"""Clusters of photos that show the same picture: fingerprints propose, the pictures decide.

No distance between fingerprints tells a copy from a stranger. Different animals before one fixed camera are 8 bits
apart, a crop by 5 % is 48 and more away from its original (docs/decisions.md). So every candidate is looked at. Each
photo's nearest candidate comes first, and pairs that are in one cluster by then are not looked at any more (Boruvka,
1926): n copies of one picture take about n looks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fieldguide.clean.candidates import Edges, find_candidates
from fieldguide.engine import EngineParams, map_shards
from fieldguide.fetch.reading import Location, Originals
from fieldguide.images.decode import load_rgb
from fieldguide.images.fingerprints import Fingerprints
from fieldguide.images.likeness import SIDE, compare, look

PAIRS_PER_TASK = 64

Positions = npt.NDArray[np.int64]
LookAt = Callable[[Edges, pl.DataFrame], npt.NDArray[np.bool_]]
"""Whether each of the pairs is one picture, bool [num_pairs], given where all photos are (shard, offset, num_bytes)."""


@dataclass(frozen=True)
class Clusters:
    """Which photos show the same picture, and how far that was looked for."""

    first: Positions
    """For each photo the first member of its cluster, [num_photos]."""
    searched_bits: Positions
    """[num_photos] up to how many differing bits all candidates of a photo were considered; -1: none."""


def cluster_near_duplicates(
    fingerprints: Fingerprints, places: pl.DataFrame, max_distance: int, look_at: LookAt
) -> Clusters:
    """The connected components of those candidates (candidates.py) that are one picture by `look_at`."""
    candidates = find_candidates(fingerprints, max_distance)
    edges, first = candidates.edges, np.arange(len(fingerprints))
    while edges.shape[1]:
        is_next = _choose_nearest(edges)
        chosen = edges[:, is_next]
        first = join(first, chosen[:2, look_at(chosen, places)])
        edges = edges[:, ~is_next]
        edges = edges[:, first[edges[0]] != first[edges[1]]]
    return Clusters(first, candidates.searched_bits)


def _choose_nearest(edges: Edges) -> npt.NDArray[np.bool_]:
    """Which edges are the first, and so the nearest, of one of their photos."""
    _, places = np.unique(edges[:2].T.ravel(), return_index=True)
    is_first = np.zeros(edges.shape[1], np.bool_)
    is_first[places // 2] = True
    return is_first


def join(first: Positions, pairs: Positions) -> Positions:
    """The clusters of `first` (for each member the first of its cluster) after pairs [2, num_pairs] were added."""
    num = len(first)
    if not pairs.shape[1]:
        return first
    one, other = np.concatenate([np.stack([np.arange(num), first]), pairs], axis=1)
    graph = coo_array((np.ones(len(one), np.bool_), (one, other)), shape=(num, num))
    num_clusters, labels = connected_components(graph, directed=False)
    starts = np.empty(num_clusters, np.int64)
    # Backwards: where a label occurs several times, the last assignment wins, and that is then the first position.
    starts[labels[::-1]] = np.arange(num - 1, -1, -1)
    return starts[labels]


def look_at_pictures(
    edges: Edges, places: pl.DataFrame, originals: Originals, engine: EngineParams
) -> npt.NDArray[np.bool_]:
    """Read both photos of each pair again and compare them: bool [num_pairs].

    `places` has the columns shard, offset and num_bytes, in the order of the positions. A photo that can be read no
    more is like no other.
    """
    order = np.lexsort((edges[1], edges[0]))
    tasks = list(_cut_into_tasks(edges[:, order], places))
    answers = list(map_shards(partial(_look_at_task, originals=originals), tasks, engine, "comparing"))
    is_same = np.zeros(edges.shape[1], np.bool_)
    is_same[order] = np.concatenate(answers) if answers else []
    return is_same


@dataclass(frozen=True)
class Task:
    """Some pairs: where their photos are, and which two of these are compared."""

    photos: list[Location]
    pairs: list[tuple[int, int]]


def _cut_into_tasks(edges: Edges, places: pl.DataFrame) -> Iterator[Task]:
    for start in range(0, edges.shape[1], PAIRS_PER_TASK):
        positions, numbers = np.unique(edges[:2, start : start + PAIRS_PER_TASK], return_inverse=True)
        photos = [Location(*row) for row in places[positions].iter_rows()]
        yield Task(photos, [(one, other) for one, other in numbers.reshape(2, -1).T.tolist()])


def _look_at_task(task: Task, originals: Originals) -> npt.NDArray[np.bool_]:
    looks = [
        look(load_rgb(content, shorter_side=SIDE)[0]) if content else None for content in originals.read(task.photos)
    ]
    pairs = ((looks[one], looks[other]) for one, other in task.pairs)
    return np.array([bool(one and other and compare(one, other).is_same) for one, other in pairs], np.bool_)
