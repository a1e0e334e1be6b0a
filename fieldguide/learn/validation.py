"""How well a network does on the validation photos while it is being trained."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (everybody's name for it)
from lightning_fabric import Fabric
from torch import Tensor

from fieldguide.learn.collectives import sum_numbers
from fieldguide.learn.dataset import PhotoDataset
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.labels import UNKNOWN, map_labels
from fieldguide.learn.network import Network, split_logits
from fieldguide.learn.predict import call, run_batches
from fieldguide.records.order import evaluation_batches
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

    def measure(
        self, network: Network, rank_weights: dict[str, float], fabric: Fabric | None = None
    ) -> dict[str, float]:
        """Loss (plain cross entropy) and accuracy: val_loss, val_top1 (first rank), val_top1_RANK for each rank.

        Logits are added up batch by batch: memory does not grow with photos times classes. The processes that `fabric`
        knows share the photos, and all get the measures of all photos.
        """
        ranks = network.spec.ranks
        losses, num_right, num_known = (dict.fromkeys(ranks, 0.0) for _ in range(3))
        share = (fabric.global_rank, fabric.world_size) if fabric else (0, 1)
        for logits, batch_labels in self.answers(network, share):
            for column, (rank, at_rank) in enumerate(split_logits(logits, network.spec).items()):
                truth = batch_labels[:, column]
                losses[rank] += float(F.cross_entropy(at_rank, truth, ignore_index=UNKNOWN, reduction="sum"))
                num_right[rank] += int((at_rank.argmax(dim=1) == truth).sum())
                num_known[rank] += int((truth != UNKNOWN).sum())
        if fabric:
            for sums in (losses, num_right, num_known):
                sums.update(zip(ranks, sum_numbers(fabric, list(sums.values())), strict=True))
        counted = [rank for rank in ranks if num_known[rank]]
        total = sum(rank_weights[rank] for rank in counted)
        loss = sum(rank_weights[rank] * losses[rank] / num_known[rank] for rank in counted) / total if total else 0.0
        accuracies = {f"val_top1_{rank}": num_right[rank] / max(num_known[rank], 1) for rank in ranks}
        return {"val_loss": loss, "val_top1": accuracies[f"val_top1_{ranks[0]}"], **accuracies}

    def answers(self, network: Network, share: tuple[int, int] = (0, 1)) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the logits of every batch, float32 [batch, num_outputs], and its labels int64 [batch, num_ranks].

        `share` is (number of this process, number of processes): each of them answers for its part of the photos.
        """
        number, num_processes = share
        keys = list(evaluation_batches(self.indices, self.batch_size, share))
        dataset = PhotoDataset(self.records, network.spec)
        labels = torch.from_numpy(np.array_split(self.labels, num_processes)[number]).split(self.batch_size)
        if keys:
            yield from zip(run_batches(network.module, dataset, keys, call, self.workers), labels, strict=True)
