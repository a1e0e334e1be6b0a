"""Nobody is judged by a probe that learnt from the photo itself or from its twin."""

import numpy as np
import polars as pl
import pytest

from fieldguide.review import probing
from fieldguide.review.probing import assign_folds, choose_num_neighbours, predict_unseen, score_features
from tests.review.making import make_examined


def test_groups_stay_in_one_fold_and_folds_are_of_about_one_size():
    photos, _ = make_examined()
    folds = assign_folds(photos, 4)
    by_group = photos.table.with_columns(pl.Series("fold", folds)).group_by("group_id").agg(pl.col("fold").n_unique())
    assert by_group["fold"].to_list() == [1] * 120
    assert np.bincount(folds, minlength=4).min() > 30


def test_no_probe_judges_what_it_learnt(monkeypatch: pytest.MonkeyPatch):
    photos, _ = make_examined()
    learnt: list[np.ndarray] = []
    fit_probe = probing.fit_probe

    def watch(features: np.ndarray, labels: np.ndarray, num_classes: int):
        learnt.append(features[:, 0])
        return fit_probe(features, labels, num_classes)

    monkeypatch.setattr(probing, "fit_probe", watch)
    predict_unseen(photos, 4)
    folds = assign_folds(photos, 4)
    train = photos.is_train
    for fold in range(4):
        assert set(learnt[fold]).isdisjoint(photos.features[train & (folds == fold), 0])
    # Val is judged by the probe of all training photos.
    assert len(learnt[4]) == train.sum()
    assert set(learnt[4]).isdisjoint(photos.features[~train, 0])


def test_scores_are_of_val_at_the_first_rank():
    photos, _ = make_examined(num_wrong=0, spread=0.1)
    scores = score_features(photos, predict_unseen(photos, 3))
    assert scores == {"knn": {"k": 20, "top1": 1.0}, "probe": {"top1": 1.0}}


@pytest.mark.parametrize(
    ("counts", "num"), [([20, 20, 20], 20), ([19, 30, 10], 5), ([4, 4, 300], 1), ([5, 1, 9], 5), ([1], 1)]
)
def test_so_many_neighbours_vote_as_half_of_the_classes_have_photos(counts: list[int], num: int):
    assert choose_num_neighbours(np.repeat(np.arange(len(counts)), counts)) == num
