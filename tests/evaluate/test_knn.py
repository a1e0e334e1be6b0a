"""Nearest neighbours against a plain search."""

import numpy as np
import pytest

from fieldguide.evaluate import knn
from fieldguide.evaluate.knn import find_neighbours, vote


def test_neighbours_are_those_of_a_plain_search():
    random = np.random.default_rng(0)
    train, queries = random.normal(size=(200, 8)), random.normal(size=(30, 8))
    unit_train, unit_queries = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (train, queries))
    cosines = unit_queries @ unit_train.T
    indices, similarities = find_neighbours(train.astype(np.float16), queries.astype(np.float16), 5)
    np.testing.assert_allclose(similarities, -np.sort(-cosines)[:, :5], atol=5e-3)
    assert (indices[:, 0] == cosines.argmax(axis=1)).mean() > 0.95


def test_a_large_training_set_is_searched_piece_by_piece(monkeypatch: pytest.MonkeyPatch):
    random = np.random.default_rng(0)
    train, queries = random.normal(size=(200, 8)), random.normal(size=(30, 8))
    whole = find_neighbours(train, queries, 5)
    monkeypatch.setattr(knn, "PIECE_ROWS", 7)
    pieces = find_neighbours(train, queries, 5)
    np.testing.assert_array_equal(pieces[0], whole[0])
    np.testing.assert_allclose(pieces[1], whole[1], rtol=1e-6)


def test_no_queries_and_few_photos():
    train = np.eye(3)
    assert find_neighbours(train, np.empty((0, 3)), 2)[0].shape == (0, 2)
    assert find_neighbours(train, train, 20)[0].shape == (3, 3)


@pytest.mark.parametrize(
    ("labels", "similarities", "winner"),
    [
        ([2], [0.9], 2),
        ([0, 1, 1], [0.5, 0.5, 0.5], 1),
        ([0, 1, 1], [0.9, 0.2, 0.2], 0),
    ],
)
def test_near_neighbours_weigh_more(labels: list[int], similarities: list[float], winner: int):
    logits = vote(np.array([labels]), np.array([similarities], np.float32), 3, 0.07)
    assert logits.dtype == np.float32
    assert logits.argmax(axis=1).tolist() == [winner]
    assert np.exp(logits).sum() == pytest.approx(1, abs=1e-4)
