"""Which photos a network learns from."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.errors import TrainingError
from fieldguide.learn.choice import choosing_files, keep_small, sample_classes, select_photos
from fieldguide.records.reader import RecordSet


def test_all_photos_or_those_of_a_region(train: RecordSet):
    assert select_photos(train, None).tolist() == list(range(48))
    north = select_photos(train, "north")
    assert [train.regions[index] for index in north] == ["north"] * 16
    with pytest.raises(TrainingError, match="split train has no photos of region 'moon'"):
        select_photos(train, "moon")


def test_the_small_set_is_what_the_split_says(train: RecordSet, tmp_path: Path):
    assert choosing_files("all", tmp_path) == []
    assert choosing_files("small", tmp_path) == [tmp_path / "train_small.parquet"]
    marked = train.photo_ids[5:20:3]
    pl.DataFrame({"photo_id": [*marked, "of another split"]}).write_parquet(tmp_path / "train_small.parquet")
    assert keep_small(train, np.arange(10, 48), tmp_path).tolist() == [11, 14, 17]
    with pytest.raises(
        TrainingError, match=r"names 6 photos and none of these 2; expected a larger split\.train_small"
    ):
        keep_small(train, np.array([0, 1]), tmp_path)
    with pytest.raises(TrainingError, match=r"nowhere/train_small\.parquet is missing; run the split stage first"):
        keep_small(train, np.array([0, 1]), tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("num", "of_each"),
    [
        (None, [80, 16, 3, 1]),
        (100, [80, 16, 3, 1]),
        (50, [40, 8, 1, 1]),
        (10, [7, 1, 1, 1]),
        (4, [1, 1, 1, 1]),
        (2, [1, 1, 0, 0]),
    ],
)
def test_a_sample_holds_each_class_by_its_share(num: int | None, of_each: list[int]):
    labels = np.random.default_rng(0).permutation(np.repeat([4, 0, 7, -1], [80, 16, 3, 1]))
    chosen = labels[sample_classes(labels, num, seed=3)]
    assert [int((chosen == label).sum()) for label in (4, 0, 7, -1)] == of_each


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(1, 60), st.integers(0, 3))
def test_a_larger_sample_holds_the_smaller_one_and_every_class(labels: list[int], num: int, seed: int):
    array = np.array(labels)
    small, large = (set(sample_classes(array, size, seed).tolist()) for size in (num, num + 1))
    assert small <= large
    assert len(small) == min(num, len(labels))
    assert len({labels[place] for place in small}) == min(len(set(labels)), len(small))


def test_another_seed_draws_other_photos():
    labels = np.zeros(1000, np.int64)
    first, again, other = (sample_classes(labels, 100, seed).tolist() for seed in (1, 1, 2))
    assert first == again == sorted(first)
    assert len(set(first) & set(other)) < 30
