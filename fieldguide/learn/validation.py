"""How well a network does on the validation photos while it is being trained."""

from dataclasses import dataclass

import numpy as np
import torch

from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.labels import UNKNOWN, map_labels
from fieldguide.learn.losses import hard_loss
from fieldguide.learn.network import Network, split_logits
from fieldguide.learn.predict import predict_logits
from fieldguide.records.reader import RecordSet


@dataclass(frozen=True)
class Validation:
    """The validation photos of one network: those whose first-rank class it knows."""

    records: RecordSet
    indices: np.ndarray
    """int64 [num_val]."""
    labels: np.ndarray
    """int64 [num_val, num_ranks], UNKNOWN where the network does not know the class."""
    batch_size: int
    workers: int

    @classmethod
    def of(
        cls, records: RecordSet, indices: np.ndarray, spec: NetworkSpec, batch_size: int, workers: int
    ) -> "Validation":
        """Keep those of `indices` whose first-rank class is among the network's."""
        labels = map_labels(records, spec.classes, spec.ranks)[indices]
        known = labels[:, 0] != UNKNOWN
        return cls(records, indices[known], labels[known], batch_size, workers)

    def measure(self, network: Network, rank_weights: dict[str, float]) -> dict[str, float]:
        """Loss (plain cross entropy) and accuracy: val_loss, val_top1 (first rank), val_top1_RANK for each rank."""
        logits = predict_logits(network, self.records, self.indices, batch_size=self.batch_size, workers=self.workers)
        by_rank = split_logits(torch.from_numpy(logits), network.spec)
        labels = {rank: torch.from_numpy(self.labels[:, i]) for i, rank in enumerate(network.spec.ranks)}
        accuracies = {}
        for rank, rank_logits in by_rank.items():
            counted = labels[rank] != UNKNOWN
            right = (rank_logits.argmax(dim=1) == labels[rank])[counted]
            accuracies[f"val_top1_{rank}"] = float(right.double().mean()) if len(right) else 0.0
        loss = float(hard_loss(by_rank, labels, rank_weights, label_smoothing=0.0))
        return {"val_loss": loss, "val_top1": accuracies[f"val_top1_{network.spec.ranks[0]}"], **accuracies}
