"""A classifier to start fine-tuning from: logistic regressions on the embed stage's frozen features.

Fine-tuning from a random head first bends the features to suit it; from a fitted head they keep what they are good at
(Kumar et al., Fine-Tuning can Distort Pretrained Features, 2022).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from fieldguide.errors import TrainingError
from fieldguide.learn.embed_files import BACKBONE_FILE, features_path, ids_path
from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.network import Network, classifier_of
from fieldguide.records.reader import RecordSet

INVERSE_REGULARISATION = 0.05
"""scikit-learn's C, for standardised features: strong, as a rare class has fewer photos than features."""

MAX_ITERATIONS = 500

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
    present = np.unique(labels)
    if len(present) > 1:
        scaler = StandardScaler().fit(features)
        probe = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=MAX_ITERATIONS, tol=1e-3)
        probe.fit(scaler.transform(features), labels)
        # Two classes come as one row, the log-odds of the second.
        rows = probe.coef_ if len(present) > 2 else np.concatenate([-probe.coef_, probe.coef_]) / 2
        intercepts = probe.intercept_ if len(present) > 2 else np.array([-1, 1]) * probe.intercept_ / 2
        weight[present] = rows / scaler.scale_
        bias[present] = intercepts - weight[present] @ scaler.mean_
        bias[np.setdiff1d(np.arange(num_classes), present)] = bias[present].min()
    return weight.astype(np.float32), bias.astype(np.float32)


def _check_backbone(network: Network, embed: Path) -> None:
    path = embed / BACKBONE_FILE
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{path} is missing; run the embed stage first") from None
    wanted = network.spec.model_dump(mode="json")
    if wanted["weights"]["from"] == "scratch":
        raise TrainingError("head_init is linear_probe but weights are from scratch; expected weights from file or hub")
    for key in COMPARED:
        if found.get(key) != wanted[key]:
            raise TrainingError(
                f"head_init is linear_probe, but {path} has {key} {found.get(key)!r} and this network {wanted[key]!r}; "
                f"embed with the same backbone or set head_init: none"
            )
