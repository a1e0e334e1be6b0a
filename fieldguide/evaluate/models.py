"""The models that are evaluated: trained networks, and the vote of the nearest embeddings."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.evaluate.answers import EvaluatedModel, Logits
from fieldguide.evaluate.knn import find_neighbours, read_embeddings, vote
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.network import load_network
from fieldguide.learn.predict import predict_logits
from fieldguide.records.reader import RecordSet


def trained_model(
    name: str, folder: Path, taxonomy: Taxonomy, device: torch.device, *, batch_size: int, workers: int
) -> EvaluatedModel:
    """The trained network in `folder` as a model; it moves to `device`. Raises TrainingError if it is not there."""
    network = load_network(folder)
    network.module.to(device)
    predict = partial(predict_logits, network, batch_size=batch_size, workers=workers)
    return network_model(name, network.spec, taxonomy, predict)


def network_model(
    name: str, spec: NetworkSpec, taxonomy: Taxonomy, predict: Callable[[RecordSet, np.ndarray], np.ndarray]
) -> EvaluatedModel:
    """A network as a model at all ranks of the taxonomy.

    `predict` gives its logits [n, num_outputs].
    """

    def predict_ranks(records: RecordSet, indices: np.ndarray) -> Logits:
        parts = np.split(predict(records, indices), np.cumsum(spec.class_counts)[:-1], axis=1)
        return dict(zip(spec.ranks, parts, strict=True))

    ranks = [*spec.ranks, *(rank for rank in taxonomy.ranks if rank not in spec.ranks)]
    classes = {rank: spec.classes.get(rank, taxonomy.classes[rank]) for rank in ranks}
    return EvaluatedModel(name, spec.region, classes, predict_ranks)


def neighbour_model(name: str, train: RecordSet, embed: Path, num: int, temperature: float) -> EvaluatedModel:
    """The vote of the `num` nearest training photos as a model; `embed` holds the embeddings of all splits."""
    taxonomy = train.taxonomy

    def predict_ranks(records: RecordSet, indices: np.ndarray) -> Logits:
        queries = read_embeddings(embed, records)[indices]
        found, similarities = find_neighbours(read_embeddings(embed, train), queries, num)
        return {
            rank: vote(train.labels(rank)[found], similarities, len(taxonomy.classes[rank]), temperature)
            for rank in taxonomy.ranks
        }

    return EvaluatedModel(name, None, taxonomy.classes, predict_ranks)
