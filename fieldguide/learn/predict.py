"""What a network answers for the photos of a RecordSet."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from fieldguide.learn.dataset import PhotoDataset, chunk_keys, load_batches, make_input
from fieldguide.learn.network import Network
from fieldguide.records.reader import RecordSet

Forward = Callable[[nn.Module, Tensor], Tensor]


def call(module: nn.Module, images: Tensor) -> Tensor:
    """The network's own output."""
    logits: Tensor = module(images)
    return logits


def predict_batches(
    network: Network,
    records: RecordSet,
    indices: Sequence[int] | np.ndarray | None = None,
    *,
    batch_size: int,
    workers: int,
) -> Iterator[np.ndarray]:
    """Yield logits of the photos at `indices` (None: all), in that order, as float32 [batch, num_outputs].

    Runs where the module is and leaves it in the mode it was in. All at once they would not fit into memory where there
    are many photos and many classes.
    """
    chosen = range(len(records)) if indices is None else indices
    dataset = PhotoDataset(records, network.spec)
    keys = chunk_keys(chosen, batch_size)
    for logits in run_batches(network.module, dataset, keys, call, workers):
        yield logits.numpy()


def run_batches(
    module: nn.Module, dataset: PhotoDataset, keys: list[list[tuple[int, int]]], forward: Forward, workers: int
) -> Iterator[Tensor]:
    """Yield `forward(module, inputs)` of every batch as float32 on the CPU; the module answers in evaluation mode."""
    device, spec = next(module.parameters()).device, dataset.spec
    was_training = module.training
    module.eval()
    try:
        with torch.inference_mode():
            for images, _, _, boxes in load_batches(dataset, keys, workers):
                yield forward(module, make_input(images, boxes, spec, device)).float().cpu()
    finally:
        module.train(was_training)
