"""Which photos a network learns from: those of a region, those of the small set, a fair sample of them."""

from pathlib import Path

import numpy as np
import polars as pl

from fieldguide.errors import TrainingError
from fieldguide.learn.training_params import TrainSet
from fieldguide.records.reader import RecordSet

SMALL_SET = "train_small.parquet"


def select_photos(records: RecordSet, region: str | None) -> np.ndarray:
    """Indices of the photos of `region` (null: all), in their order: int64 [n]. Raises TrainingError without any."""
    if region is None:
        indices = np.arange(len(records), dtype=np.int64)
    else:
        indices = np.flatnonzero(records.lie_in(region)).astype(np.int64)
    if not len(indices):
        where = f" of region {region!r}" if region else ""
        raise TrainingError(f"split {records.split} has no photos{where}")
    return indices


def choosing_files(train_set: TrainSet, split: Path) -> list[Path]:
    """The files beside the records that decide which photos are learnt from, for the fingerprint of a run."""
    return [split / SMALL_SET] if train_set == "small" else []


def keep_small(records: RecordSet, indices: np.ndarray, split: Path) -> np.ndarray:
    """Those of `indices` (int64 [n]) that the folder of the split stage lists as the small training set.

    Raises TrainingError if that list is missing, or names none of them.
    """
    table = split / SMALL_SET
    try:
        small = pl.read_parquet(table, columns=["photo_id"])["photo_id"]
    except FileNotFoundError:
        raise TrainingError(f"train_set is small, but {table} is missing; run the split stage first") from None
    kept = indices[records.column("photo_id").is_in(small.implode()).to_numpy()[indices]]
    if not len(kept):
        raise TrainingError(
            f"train_set is small, but {table} names {len(small)} photos and none of these {len(indices)}; expected a "
            "larger split.train_small, or train_set: all"
        )
    return kept


def sample_classes(labels: np.ndarray, num: int | None, seed: int) -> np.ndarray:
    """Places in `labels` (int64 [n]) of `num` photos, of each class its share, in ascending order: int64 [num].

    As long as there is room every class keeps a photo; where there is none, the largest classes do. The same seed gives
    the same photos, and a larger `num` only adds some. None, or more than there are: all.
    """
    if num is None or num >= len(labels):
        return np.arange(len(labels), dtype=np.int64)
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    drawn = np.random.default_rng(seed).permutation(len(labels))
    by_class = drawn[np.argsort(classes[drawn], kind="stable")]
    # Place k of a class of n photos is due when the share (k + 1/2) / n of all photos is taken; its first one at once.
    place = np.empty(len(labels))
    place[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    size = counts[classes]
    due = np.where(place == 0, 0.0, (place + 0.5) / size)
    order = np.lexsort((np.argsort(drawn), -size, due))
    return np.sort(order[:num]).astype(np.int64)
