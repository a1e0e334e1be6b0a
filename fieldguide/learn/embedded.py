"""Reads what the embed stage left: the features of the records of a split."""

from pathlib import Path

import numpy as np

from fieldguide.errors import RecordError
from fieldguide.learn.embed_files import features_path, ids_path
from fieldguide.records.reader import RecordSet


def read_embeddings(directory: Path, records: RecordSet) -> np.ndarray:
    """The embeddings of all records, in their order: float16 [num_records, dim], mapped, not loaded.

    Raises RecordError where they are missing or belong to other records.
    """
    path = features_path(directory, records.split)
    try:
        ids = ids_path(directory, records.split).read_text(encoding="utf-8").split()
        embeddings: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise RecordError(f"{error.filename} is missing; run the embed stage first") from None
    except ValueError as error:
        raise RecordError(f"{path} is not an array: {error}") from None
    if ids != records.photo_ids or embeddings.ndim != 2 or len(embeddings) != len(ids):
        raise RecordError(f"{path} {list(embeddings.shape)} is not of the {len(records)} records of {records.split}")
    return embeddings
