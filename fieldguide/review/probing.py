"""What a linear probe and the nearest neighbours make of the features, asked only about photos they never learnt."""

import numpy as np
import polars as pl
from scipy.special import softmax

from fieldguide.evaluate.knn import find_neighbours, vote
from fieldguide.files import salted_units
from fieldguide.learn.linear_probe import fit_probe
from fieldguide.review.examined import Examined

NEIGHBOURS = (20, 5, 1)
"""Neighbours that vote: 20, at which frozen features are commonly judged (Caron et al., Emerging Properties in
Self-Supervised Vision Transformers, 2021), or the next that half of the classes have training photos for."""
TEMPERATURE = 0.07
"""A neighbour's vote is exp(cosine / 0.07), as in the same paper."""


def assign_folds(photos: Examined, num_folds: int) -> np.ndarray:
    """The fold of every photo: int64 [n]. Photos of one group share it, so none is judged by its twin."""
    groups = photos.table.select(pl.coalesce("group_id", "photo_id")).to_series()
    folds: np.ndarray = (salted_units("fieldguide/folds", groups) * num_folds).astype(np.int64)
    return folds


def predict_unseen(photos: Examined, num_folds: int) -> np.ndarray:
    """Probabilities of the classes, float32 [n, num_classes], by probes that did not learn from the photo.

    A training photo is judged by the probe of the other folds, one of val or test by that of all training photos.
    """
    folds = np.where(photos.is_train, assign_folds(photos, num_folds), num_folds)
    teaches = photos.is_train & photos.is_named
    probabilities = np.zeros((len(photos), len(photos.classes)), np.float32)
    for fold in range(num_folds + 1):
        asked, learnt = folds == fold, teaches & (folds != fold)
        if asked.any() and learnt.any():
            weight, bias = fit_probe(photos.features[learnt], photos.labels[learnt], len(photos.classes))
            probabilities[asked] = softmax(photos.features[asked] @ weight.T + bias, axis=1)
    return probabilities


def choose_num_neighbours(labels: np.ndarray) -> int:
    """How many of NEIGHBOURS vote, for the labels of the training photos."""
    counts = np.unique(labels, return_counts=True)[1]
    return next(num for num in NEIGHBOURS if num == NEIGHBOURS[-1] or np.median(counts) >= num)


def score_features(photos: Examined, probabilities: np.ndarray) -> dict[str, dict[str, float]]:
    """Top-1 on val of kNN and of the probe (`predict_unseen`), at the first rank; empty without val or classes."""
    asked = (photos.table["split"] == "val").to_numpy() & photos.is_named
    learnt = photos.is_train & photos.is_named
    if not asked.any() or len(np.unique(photos.labels[learnt])) < 2:
        return {}
    num = choose_num_neighbours(photos.labels[learnt])
    found, similarities = find_neighbours(photos.features[learnt], photos.features[asked], num)
    votes = vote(photos.labels[learnt][found], similarities, len(photos.classes), TEMPERATURE)
    truth = photos.labels[asked]
    return {
        "knn": {"k": num, "top1": _rate(votes.argmax(axis=1) == truth)},
        "probe": {"top1": _rate(probabilities[asked].argmax(axis=1) == truth)},
    }


def _rate(is_right: np.ndarray) -> float:
    return round(float(is_right.mean()), 4)
