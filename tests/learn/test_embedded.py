"""The embeddings' files as other stages read them."""

from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import RecordError
from fieldguide.learn.embedded import read_embeddings
from fieldguide.records.reader import RecordSet


def write_embeddings(directory: Path, records: RecordSet, num: int, ids: list[str] | None = None) -> Path:
    np.save(directory / f"{records.split}.npy", np.ones((num, 4), np.float16))
    (directory / f"{records.split}.ids.txt").write_text("\n".join(records.photo_ids if ids is None else ids))
    return directory


def test_embeddings_are_mapped_in_record_order(tmp_path: Path, train: RecordSet):
    embeddings = read_embeddings(write_embeddings(tmp_path, train, len(train)), train)
    assert (embeddings.shape, embeddings.dtype) == ((48, 4), np.float16)


def test_embeddings_of_other_records_are_refused(tmp_path: Path, train: RecordSet):
    write_embeddings(tmp_path, train, len(train), train.photo_ids[::-1])
    with pytest.raises(RecordError, match=r"train\.npy \[48, 4\] is not of the 48 records of train"):
        read_embeddings(tmp_path, train)
    write_embeddings(tmp_path, train, 3)
    with pytest.raises(RecordError, match=r"train\.npy \[3, 4\] is not of the 48 records"):
        read_embeddings(tmp_path, train)


def test_missing_and_pickled_embeddings_are_refused(tmp_path: Path, train: RecordSet):
    with pytest.raises(RecordError, match=r"is missing; run the embed stage first"):
        read_embeddings(tmp_path, train)
    write_embeddings(tmp_path, train, len(train))
    np.save(tmp_path / "train.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(RecordError, match=r"train\.npy is not an array"):
        read_embeddings(tmp_path, train)
