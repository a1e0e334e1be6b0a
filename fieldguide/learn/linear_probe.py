"""A classifier to start fine-tuning from: logistic regressions on the frozen features of the training photos.

Fine-tuning from a random head first bends the features to suit it; from a fitted head they keep what they are good at
(Kumar et al., Fine-Tuning can Distort Pretrained Features, 2022).
"""

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.preprocessing import StandardScaler

from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.network import Network, classifier_of

REGULARISATION = 20.0
"""Weight of half the squared coefficients beside the summed loss, for standardised features: strong, as a rare class
has fewer photos than features. 1/C in scikit-learn's words."""
MAX_ITERATIONS = 500
SLOPE = 1e-3
"""The largest slope of the mean loss at which the search ends."""
PIECE_VALUES = 2**22
"""Logits that are computed together, so that memory does not grow with photos times classes."""


def initialise_head(network: Network, features: np.ndarray, labels: np.ndarray) -> None:
    """Set the classifier, in place, to one logistic regression per rank.

    `features` float32 [num_photos, dim] of its backbone, `labels` int64 [num_photos, num_ranks].
    """
    weights, biases = [], []
    for column, rank in enumerate(network.spec.ranks):
        known = labels[:, column] != UNKNOWN
        weight, bias = fit_probe(features[known], labels[known, column], len(network.spec.classes[rank]))
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
