"""A finished classifier made to favour rare classes more, as much as the validation photos say.

Whatever is chosen goes into the classifier's own weight and bias: every runtime has it for nothing. Chosen is the
strength with the best mean accuracy of the classes on val; test photos are never looked at.

- `logit_adjustment` takes strength * log prior from the logits (Menon et al., Long-Tail Learning via Logit Adjustment,
  ICLR 2021).
- `tau_norm` divides each class's weights by their length ^ strength (Kang et al., Decoupling Representation and
  Classifier, ICLR 2020). Here the bias goes with them and lengths are measured against their geometric mean, so that
  strength 0 changes nothing and logits keep their size.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import torch

from fieldguide.errors import TrainingError
from fieldguide.learn.imbalance import ClassCounts, log_prior
from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.network import Network, classifier_of, split_logits
from fieldguide.learn.training_params import Rebalancing
from fieldguide.learn.validation import Validation

STRENGTHS = {
    "logit_adjustment": np.linspace(0.0, 2.0, 21),
    "tau_norm": np.linspace(0.0, 2.0, 21),
}
"""Those that are tried: float64 [21]; 0 leaves everything as it is."""


def rebalance_classifier(
    network: Network, methods: Mapping[str, Rebalancing], counts: ClassCounts, validation: Validation
) -> dict[str, float]:
    """Adjust the classifier, in place, at the ranks that `methods` names.

    Returns for the metrics, of each such rank: rebalance_RANK, the strength, val_macro_RANK, the mean accuracy of the
    classes with it, and val_macro_before_RANK. Raises TrainingError where the classifier has no bias.
    """
    classifier = classifier_of(network.module)
    if classifier.bias is None:
        raise TrainingError(
            f"rebalance: the classifier of {network.spec.architecture} has no bias; expected one, or {{}}"
        )
    scales, shifts, rows = {}, {}, dict(_rows_of(network))
    for rank, method in methods.items():
        weight = classifier.weight.detach()[rows[rank]].double().cpu().numpy()
        scales[rank], shifts[rank] = _changes(method, weight, counts[rank])
    metrics: dict[str, float] = {}
    for rank, macro in _measure(network, validation, scales, shifts).items():
        # The first of equals: the least change.
        best = int(macro.argmax())
        scale, shift = (
            torch.from_numpy(changes[rank][best]).to(classifier.weight.dtype).to(classifier.weight.device)
            for changes in (scales, shifts)
        )
        with torch.no_grad():
            classifier.weight[rows[rank]] *= scale[:, None]
            classifier.bias[rows[rank]] = classifier.bias[rows[rank]] * scale + shift
        metrics |= {
            f"rebalance_{rank}": float(STRENGTHS[methods[rank]][best]),
            f"val_macro_before_{rank}": float(macro[0]),
            f"val_macro_{rank}": float(macro[best]),
        }
    return metrics


def _rows_of(network: Network) -> Iterator[tuple[str, slice]]:
    """The classifier's rows of each rank."""
    start = 0
    for rank, count in zip(network.spec.ranks, network.spec.class_counts, strict=True):
        yield rank, slice(start, start + count)
        start += count


def _changes(method: Rebalancing, weight: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By what each strength multiplies a logit, and what it adds: float64 [strengths, classes] each."""
    strengths = STRENGTHS[method][:, None]
    if method == "logit_adjustment":
        return np.ones((len(strengths), len(counts))), -strengths * log_prior(counts)
    logs = np.log(np.maximum(np.linalg.norm(weight, axis=1), np.finfo(np.float64).tiny))
    return np.exp(-strengths * (logs - logs.mean())), np.zeros((len(strengths), len(counts)))


def _measure(
    network: Network, validation: Validation, scales: Mapping[str, np.ndarray], shifts: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Mean accuracy of the classes that val has, for each rank and strength: {rank: float64 [strengths]}."""
    num_right = {rank: np.zeros(scale.shape) for rank, scale in scales.items()}
    num_known = {rank: np.zeros(scale.shape[1]) for rank, scale in scales.items()}
    for logits, labels in validation.answers(network):
        for column, (rank, at_rank) in enumerate(split_logits(logits, network.spec).items()):
            if rank not in scales:
                continue
            known = labels[:, column] != UNKNOWN
            truth, answers = labels[known, column].numpy(), at_rank[known].double().numpy()
            np.add.at(num_known[rank], truth, 1)
            for right, scale, shift in zip(num_right[rank], scales[rank], shifts[rank], strict=True):
                np.add.at(right, truth, (answers * scale + shift).argmax(axis=1) == truth)
    return {
        rank: (right[:, num_known[rank] > 0] / num_known[rank][num_known[rank] > 0]).mean(axis=1)
        for rank, right in num_right.items()
    }
