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
from typing import Self

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


class Trials:
    """How often each class is right with every strength of one method, counted batch by batch."""

    def __init__(self, scales: np.ndarray, shifts: np.ndarray) -> None:
        """By what each strength multiplies a logit, and what it adds: float64 [strengths, classes] each."""
        self.scales, self.shifts = scales, shifts
        self.num_right = np.zeros(scales.shape)
        """Photos, float64 [strengths, classes]."""
        self.num_photos = np.zeros(scales.shape[1])
        """float64 [classes]."""

    @classmethod
    def of(cls, method: Rebalancing, lengths: np.ndarray, counts: np.ndarray) -> Self:
        """Of all strengths; float64 [classes]: the length of each class's weights, and its training photos."""
        strengths = STRENGTHS[method][:, None]
        if method == "logit_adjustment":
            return cls(np.ones((len(strengths), len(counts))), -strengths * log_prior(counts))
        logs = np.log(np.maximum(lengths, np.finfo(np.float64).tiny))
        return cls(np.exp(-strengths * (logs - logs.mean())), np.zeros((len(strengths), len(counts))))

    def only(self, places: list[int]) -> Self:
        """Nothing counted yet, and of the strengths those at these places."""
        return type(self)(self.scales[places], self.shifts[places])

    def add(self, logits: np.ndarray, truth: np.ndarray) -> None:
        """Count photos: their logits at the rank, [n, classes], and their classes int64 [n], UNKNOWN where it has
        none."""
        known = truth != UNKNOWN
        own, answers = truth[known], logits[known].astype(np.float64)
        np.add.at(self.num_photos, own, 1)
        for right, scale, shift in zip(self.num_right, self.scales, self.shifts, strict=True):
            np.add.at(right, own, (answers * scale + shift).argmax(axis=1) == own)

    @property
    def macro(self) -> np.ndarray:
        """Mean accuracy of the classes that have photos, 0 if none has: float64 [strengths]."""
        present = self.num_photos > 0
        if not present.any():
            return np.zeros(len(self.scales))
        macro: np.ndarray = (self.num_right[:, present] / self.num_photos[present]).mean(axis=1)
        return macro

    @property
    def best(self) -> int:
        """Place of the strength with the largest `macro`; of equals the first, which changes least."""
        return int(self.macro.argmax())


def measure_lengths(network: Network) -> dict[str, np.ndarray]:
    """Length of each class's weights in the classifier, by rank: float64 [classes]."""
    weight = classifier_of(network.module).weight.detach().double().cpu().numpy()
    return {rank: np.linalg.norm(weight[rows], axis=1) for rank, rows in _rows_of(network)}


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
    lengths, rows = measure_lengths(network), dict(_rows_of(network))
    trials = {rank: Trials.of(method, lengths[rank], counts[rank]) for rank, method in methods.items()}
    for logits, labels in validation.answers(network):
        for column, (rank, at_rank) in enumerate(split_logits(logits, network.spec).items()):
            if rank in trials:
                trials[rank].add(at_rank.numpy(), labels[:, column].numpy())
    metrics: dict[str, float] = {}
    for rank, trial in trials.items():
        best = trial.best
        scale, shift = (
            torch.from_numpy(change[best]).to(classifier.weight.dtype).to(classifier.weight.device)
            for change in (trial.scales, trial.shifts)
        )
        with torch.no_grad():
            classifier.weight[rows[rank]] *= scale[:, None]
            classifier.bias[rows[rank]] = classifier.bias[rows[rank]] * scale + shift
        metrics |= {
            f"rebalance_{rank}": float(STRENGTHS[methods[rank]][best]),
            f"val_macro_before_{rank}": float(trial.macro[0]),
            f"val_macro_{rank}": float(trial.macro[best]),
        }
    return metrics


def _rows_of(network: Network) -> Iterator[tuple[str, slice]]:
    """The classifier's rows of each rank."""
    start = 0
    for rank, count in zip(network.spec.ranks, network.spec.class_counts, strict=True):
        yield rank, slice(start, start + count)
        start += count
