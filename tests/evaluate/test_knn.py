"""Nearest neighbours against a plain search, and the embeddings' files."""

from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import RecordError
from fieldguide.evaluate import knn
from fieldguide.evaluate.knn import find_neighbours, read_embeddings, vote
from fieldguide.records.reader import RecordSet


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


def write_embeddings(directory: Path, records: RecordSet, num: int, ids: list[str] | None = None) -> Path:
    np.save(directory / f"{records.split}.npy", np.ones((num, 4), np.float16))
    (directory / f"{records.split}.ids.txt").write_text("\n".join(records.photo_ids if ids is None else ids))
    return directory


def test_embeddings_are_mapped_in_record_order(tmp_path: Path, val: RecordSet):
    embeddings = read_embeddings(write_embeddings(tmp_path, val, len(val)), val)
    assert (embeddings.shape, embeddings.dtype) == ((24, 4), np.float16)


def test_embeddings_of_other_records_are_refused(tmp_path: Path, val: RecordSet):
    write_embeddings(tmp_path, val, len(val), val.photo_ids[::-1])
    with pytest.raises(RecordError, match=r"val\.npy \[24, 4\] is not of the 24 records of val"):
        read_embeddings(tmp_path, val)
    write_embeddings(tmp_path, val, 3)
    with pytest.raises(RecordError, match=r"val\.npy \[3, 4\] is not of the 24 records"):
        read_embeddings(tmp_path, val)


def test_missing_and_pickled_embeddings_are_refused(tmp_path: Path, val: RecordSet):
    with pytest.raises(RecordError, match=r"is missing; run the embed stage first"):
        read_embeddings(tmp_path, val)
    write_embeddings(tmp_path, val, len(val))
    np.save(tmp_path / "val.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(RecordError, match=r"val\.npy is not an array"):
        read_embeddings(tmp_path, val)
