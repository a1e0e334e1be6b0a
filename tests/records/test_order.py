"""The order of photos is a pure function of seed and epoch, and ranks share it without gaps or repeats."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.records.order import BatchOrder, evaluation_batches


@pytest.mark.parametrize(
    ("num_photos", "batch_size", "batches", "size"),
    [(10, 4, 2, 4), (8, 4, 2, 4), (3, 4, 1, 3), (1, 4, 1, 1), (9, 1, 9, 1)],
)
def test_batches_of_an_epoch(num_photos: int, batch_size: int, batches: int, size: int):
    order = BatchOrder(range(100, 100 + num_photos), batch_size, seed=3, views=None)
    epoch = list(order.iterate(1))
    assert order.batches_per_epoch == len(epoch) == batches
    assert {len(batch) for batch in epoch} == {size}
    indices = [index for batch in epoch for _, index in batch]
    assert len(set(indices)) == len(indices)
    assert set(indices) <= set(range(100, 100 + num_photos))


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 3), st.integers(0, 50), st.booleans())
def test_taken_up_anywhere_the_rest_is_the_same(
    num_photos: int, batch_size: int, epoch: int, step: int, balanced: bool
):
    weights = np.arange(1.0, num_photos + 1) if balanced else None
    order = BatchOrder(range(num_photos), batch_size, seed=3, views=2, weights=weights)
    step %= order.batches_per_epoch
    whole = list(order.iterate(4))
    rest = list(order.iterate(4, epoch=epoch, step=step))
    assert rest == whole[epoch * order.batches_per_epoch + step :]


@pytest.mark.parametrize(("views", "expected"), [(None, [0, 1, 2, 3, 4]), (2, [0, 1, 0, 1, 0]), (1, [0, 0, 0, 0, 0])])
def test_views_come_round(views: int | None, expected: list[int]):
    order = BatchOrder(range(4), 4, seed=3, views=views)
    assert [batch[0][0] for batch in order.iterate(5)] == expected


def test_epochs_and_seeds_differ():
    orders = [
        BatchOrder(range(50), 50, seed, views=None).epoch_order(epoch).tolist() for seed in (1, 2) for epoch in (0, 1)
    ]
    assert all(left != right for left, right in itertools.combinations(orders, 2))


def test_a_heavy_photo_is_drawn_more_often():
    order = BatchOrder(range(2), 2, seed=3, views=None, weights=np.array([1.0, 3.0]))
    drawn = np.concatenate([order.epoch_order(epoch) for epoch in range(500)])
    assert 0.70 < (drawn == 1).mean() < 0.80


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 5))
def test_ranks_take_parts_of_the_same_batches(num_photos: int, batch_size: int, num_ranks: int):
    ranks = [
        BatchOrder(range(num_photos), batch_size, seed=3, views=None, share=(rank, num_ranks))
        for rank in range(num_ranks)
    ]
    assert len({order.batches_per_epoch for order in ranks}) == 1
    steps = list(zip(*(order.iterate(2) for order in ranks), strict=True))
    assert len({len(part) for parts in steps for part in parts}) <= 1
    together = [[key for part in parts for key in part] for parts in steps]
    for epoch in (0, 1):
        seen = [index for batch in together for view, index in batch if view == epoch]
        assert len(set(seen)) == len(seen)
    if num_photos >= batch_size * num_ranks:
        alone = BatchOrder(range(num_photos), batch_size * num_ranks, seed=3, views=None)
        assert together == list(alone.iterate(2))


@given(st.integers(0, 60), st.integers(1, 9), st.integers(1, 5))
def test_evaluation_sees_every_photo_once_and_in_order(num_photos: int, batch_size: int, num_ranks: int):
    batches = [list(evaluation_batches(range(num_photos), batch_size, (rank, num_ranks))) for rank in range(num_ranks)]
    assert [key for own in batches for batch in own for key in batch] == [(0, index) for index in range(num_photos)]
    assert all(0 < len(batch) <= batch_size for own in batches for batch in own)
    assert max(map(len, batches)) - min(map(len, batches)) <= 1
