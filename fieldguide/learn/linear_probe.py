"""A classifier to start fine-tuning from: logistic regressions on the embed stage's frozen features.

Fine-tuning from a random head first bends the features to suit it; from a fitted head they keep what they are good at
(Kumar et al., Fine-Tuning can Distort Pretrained Features, 2022).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.preprocessing import StandardScaler

from fieldguide.errors import TrainingError
from fieldguide.learn.embed_files import BACKBONE_FILE, features_path, ids_path
from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.network import Network, classifier_of
from fieldguide.records.reader import RecordSet

REGULARISATION = 20.0
"""Weight of half the squared coefficients beside the summed loss, for standardised features: strong, as a rare class
has fewer photos than features. 1/C in scikit-learn's words."""
MAX_ITERATIONS = 500
SLOPE = 1e-3
"""The largest slope of the mean loss at which the search ends."""
PIECE_VALUES = 2**22
"""Logits that are computed together, so that memory does not grow with photos times classes."""

COMPARED = ("architecture", "architecture_args", "image_size", "mean", "std", "weights")


def initialise_head(network: Network, embed: Path, records: RecordSet, indices: np.ndarray, labels: np.ndarray) -> None:
    """Set the classifier, in place, to one logistic regression per rank on the photos at `indices`.

    `labels` int64 [num_records, num_ranks]. Raises TrainingError if the features are of another backbone or of other
    photos, or if the weights are random: then there is nothing to build on.
    """
    _check_backbone(network, embed)
    if ids_path(embed, records.split).read_text(encoding="utf-8").split() != records.photo_ids:
        raise TrainingError(f"{ids_path(embed, records.split)} lists other photos than the records; run embed again")
    features = np.load(features_path(embed, records.split), mmap_mode="r")[indices].astype(np.float32)
    weights, biases = [], []
    for column, rank in enumerate(network.spec.ranks):
        known = labels[indices, column] != UNKNOWN
        weight, bias = fit_probe(features[known], labels[indices, column][known], len(network.spec.classes[rank]))
        weights.append(weight)
        biases.append(bias)
    classifier = classifier_of(network.module)
    with torch.no_grad():
        classifier.weight.copy_(torch.from_numpy(np.concatenate(weights)))
        classifier.bias.copy_(torch.from_numpy(np.concatenate(biases)))


def fit_probe(features: np.ndarray, labels: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression of `labels` int64 [n] on `features` float32 [n, dim].

    Returns float32 weight [num_classes, dim] and bias [num_classes] for the features as they are; a class without
    photos gets the bias of the least likely one.
    """
    weight = np.zeros((num_classes, features.shape[1]))
    bias = np.zeros(num_classes)
    present, places = np.unique(labels, return_inverse=True)
    if len(present) > 1:
        scaler = StandardScaler().fit(features)
        rows, intercepts = _regress(scaler.transform(features), places, len(present))
        weight[present] = rows / scaler.scale_
        bias[present] = intercepts - weight[present] @ scaler.mean_
        bias[np.setdiff1d(np.arange(num_classes), present)] = bias[present].min()
    return weight.astype(np.float32), bias.astype(np.float32)


def _regress(features: np.ndarray, labels: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression by L-BFGS: float64 weight [num_classes, dim] and bias [num_classes].

    As scikit-learn's, which holds all photos times classes at once.
    """
    num, dim = features.shape
    step = max(1, PIECE_VALUES // num_classes)

    def measure(flat: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean loss and its gradient, flat."""
        both = flat.reshape(num_classes, dim + 1)
        weight, bias = both[:, :dim], both[:, dim]
        loss = REGULARISATION / 2 * float((weight * weight).sum())
        gradient = np.concatenate([REGULARISATION * weight, np.zeros((num_classes, 1))], axis=1)
        narrow = weight.T.astype(np.float32)
        for start in range(0, num, step):
            piece, truth = features[start : start + step], labels[start : start + step]
            logs = log_softmax(piece @ narrow + bias, axis=1)
            loss -= float(logs[np.arange(len(truth)), truth].sum())
            error = np.exp(logs)
            error[np.arange(len(truth)), truth] -= 1
            gradient[:, :dim] += error.astype(np.float32).T @ piece
            gradient[:, dim] += error.sum(axis=0)
        return loss / num, gradient.ravel() / num

    options = {"maxiter": MAX_ITERATIONS, "gtol": SLOPE}
    found = minimize(measure, np.zeros(num_classes * (dim + 1)), jac=True, method="L-BFGS-B", options=options)
    both = found.x.reshape(num_classes, dim + 1)
    return both[:, :dim], both[:, dim]


def _check_backbone(network: Network, embed: Path) -> None:
    path = embed / BACKBONE_FILE
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{path} is missing; run the embed stage first") from None
    if found.get("outputs", "prelogits") != "prelogits":
        raise TrainingError(f"head_init is linear_probe, but {path} is of {found['outputs']}; expected prelogits")
    wanted = network.spec.model_dump(mode="json")
    if wanted["weights"]["from"] == "scratch":
        raise TrainingError("head_init is linear_probe but weights are from scratch; expected weights from file or hub")
    for key in COMPARED:
        if found.get(key) != wanted[key]:
            raise TrainingError(
                f"head_init is linear_probe, but {path} has {key} {found.get(key)!r} and this network {wanted[key]!r}; "
                f"embed with the same backbone or set head_init: none"
            )
