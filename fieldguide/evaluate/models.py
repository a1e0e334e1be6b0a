"""The models that are evaluated: trained networks, and the vote of the nearest embeddings."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.evaluate.answers import EvaluatedModel, Logits
from fieldguide.evaluate.knn import find_neighbours, vote
from fieldguide.learn.attention import look_at_padding
from fieldguide.learn.dataset import PhotoDataset, chunk_keys
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.embedded import read_embeddings
from fieldguide.learn.network import Network, classifier_of, load_network
from fieldguide.learn.predict import predict_batches, run_batches
from fieldguide.learn.rebalancing import measure_lengths
from fieldguide.records.reader import RecordSet

QUERIES = 2048
"""Photos whose neighbours are looked for together."""


def trained_model(
    name: str,
    folder: Path,
    taxonomy: Taxonomy,
    device: torch.device,
    *,
    batch_size: int,
    workers: int,
    attention_photos: int = 0,
) -> EvaluatedModel:
    """The trained network in `folder` as a model; it moves to `device`. Raises TrainingError if it is not there.

    Of a vision transformer, `attention_photos` are looked at to see how much of its attention is on padding.
    """
    network = load_network(folder)
    network.module.to(device)
    predict = partial(predict_batches, network, batch_size=batch_size, workers=workers)
    see = partial(see_photos, network, batch_size=batch_size, workers=workers)
    model = network_model(name, network.spec, taxonomy, predict)
    model = replace(model, see=see, look=partial(look_at_padding, network, num=attention_photos))
    # As training refuses to adjust a classifier without a bias.
    return model if classifier_of(network.module).bias is None else replace(model, lengths=measure_lengths(network))


def see_photos(
    network: Network, records: RecordSet, indices: np.ndarray, *, batch_size: int, workers: int
) -> tuple[np.ndarray, np.ndarray]:
    """What the classifier sees of the photos at `indices`, in that order, and their logits at the first rank.

    float32 [n, dim] and float32 [n, classes], n > 0.
    """
    num = network.spec.class_counts[0]

    def look(module: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        timm_model = cast(Any, module)
        features = timm_model.forward_features(images)
        seen = timm_model.forward_head(features, pre_logits=True)
        return torch.cat([timm_model.forward_head(features)[:, :num], seen], dim=1)

    dataset, keys = PhotoDataset(records, network.spec), chunk_keys(indices, batch_size)
    both = torch.cat(list(run_batches(network.module, dataset, keys, look, workers))).numpy()
    return both[:, num:], both[:, :num]


def network_model(
    name: str, spec: NetworkSpec, taxonomy: Taxonomy, predict: Callable[[RecordSet, np.ndarray], Iterable[np.ndarray]]
) -> EvaluatedModel:
    """A network as a model at all ranks of the taxonomy.

    `predict` gives its logits in batches [batch, num_outputs].
    """

    def predict_ranks(records: RecordSet, indices: np.ndarray) -> Iterator[Logits]:
        for batch in predict(records, indices):
            yield dict(zip(spec.ranks, np.split(batch, np.cumsum(spec.class_counts)[:-1], axis=1), strict=True))

    ranks = [*spec.ranks, *(rank for rank in taxonomy.ranks if rank not in spec.ranks)]
    classes = {rank: spec.classes.get(rank, taxonomy.classes[rank]) for rank in ranks}
    return EvaluatedModel(name, spec.region, classes, predict_ranks)


def neighbour_model(name: str, train: RecordSet, embed: Path, num: int, temperature: float) -> EvaluatedModel:
    """The vote of the `num` nearest training photos as a model; `embed` holds the embeddings of all splits."""
    taxonomy = train.taxonomy
    labels = {rank: train.labels(rank) for rank in taxonomy.ranks}

    def predict_ranks(records: RecordSet, indices: np.ndarray) -> Iterator[Logits]:
        known, queries = read_embeddings(embed, train), read_embeddings(embed, records)
        for start in range(0, len(indices), QUERIES):
            found, similarities = find_neighbours(known, queries[indices[start : start + QUERIES]], num)
            yield {
                rank: vote(labels[rank][found], similarities, len(taxonomy.classes[rank]), temperature)
                for rank in taxonomy.ranks
            }

    return EvaluatedModel(name, None, taxonomy.classes, predict_ranks)
