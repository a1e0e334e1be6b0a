"""Where splits are cut into shards."""

from pathlib import Path

import numpy as np
import pytest

from fieldguide.records.cutting import Cut, plan_shards
from fieldguide.records.places import PLACE

MB = 1_000_000


@pytest.mark.parametrize(
    ("cut", "num_records", "num_bytes", "bounds"),
    [
        (Cut(4, None), 0, 0, [0]),
        (Cut(4, None), 1, 9, [0, 1]),
        (Cut(4, None), 4, 9, [0, 4]),
        (Cut(4, None), 5, 9, [0, 4, 5]),
        (Cut(4, None), 12, 9, [0, 4, 8, 12]),
        (Cut(4, None, min_shards=3), 12, 9, [0, 4, 8, 12]),
        (Cut(4, None, min_shards=3), 8, 9, [0, 2, 5, 8]),
        (Cut(100, None, min_shards=4), 10, 9, [0, 2, 5, 7, 10]),
        (Cut(100, None, min_shards=4), 2, 9, [0, 1, 2]),
        (Cut(100, None, min_shards=4), 0, 0, [0]),
        (Cut(None, 1), 10, MB, [0, 10]),
        (Cut(None, 1), 10, MB + 1, [0, 5, 10]),
        (Cut(None, 0.5), 9, 2 * MB, [0, 2, 4, 6, 9]),
        (Cut(None, 1), 2, 9 * MB, [0, 1, 2]),
        (Cut(None, 100, min_shards=2), 7, MB, [0, 3, 7]),
        (Cut(None, 100, min_shards=2), 0, 0, [0]),
    ],
)
def test_bounds(cut: Cut, num_records: int, num_bytes: int, bounds: list[int]):
    assert cut.bounds(num_records, num_bytes) == bounds


@pytest.mark.parametrize("sizes", [[10], [3, 3, 4], [0, 10, 0], [1] * 10, [6, 4]])
def test_a_shard_takes_from_as_many_buckets_as_it_needs(sizes: list[int]):
    places = np.zeros(10, PLACE)
    places["order"] = np.arange(10)
    places["tar"] = [5, 7, 5, 2, 2, 2, 9, 0, 9, 0]
    tars = [Path(f"{number}.tar") for number in range(10)]
    buckets = np.split(places, np.cumsum(sizes)[:-1])
    paths = [Path("a"), Path("b"), Path("c")]
    planned = list(plan_shards(buckets, [0, 4, 8, 10], paths, tars))
    assert len(planned) == len(sizes)
    plans = [plan for each in planned for plan in each]
    assert [plan.path for plan in plans] == paths
    assert [plan.places["order"].tolist() for plan in plans] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    found = [plan.tars[number] for plan in plans for number in plan.places["tar"]]
    assert found == [tars[number] for number in places["tar"]]
    assert [len(plan.tars) for plan in plans] == [3, 3, 2]
