"""What a network is to learn and from which photos: what training a teacher and a student begins with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fieldguide.errors import ParamsError, TrainingError
from fieldguide.learn.choice import keep_small, sample_classes, select_photos
from fieldguide.learn.continuation import start_from
from fieldguide.learn.frozen_features import find_features
from fieldguide.learn.imbalance import ClassCounts, count_drawn
from fieldguide.learn.labels import UNKNOWN, drop_rare, map_labels, select_classes
from fieldguide.learn.linear_probe import initialise_head
from fieldguide.learn.network import Network, build_network
from fieldguide.learn.params import ScratchWeights
from fieldguide.learn.sampling import balance_weights
from fieldguide.learn.training_params import TrainingParams
from fieldguide.learn.validation import Validation
from fieldguide.records.order import BatchOrder
from fieldguide.records.reader import RecordSet

SCRATCH = ScratchWeights.model_validate({"from": "scratch"})


@dataclass(frozen=True)
class TrainingSetup:
    """A network with its first weights, the photos it learns from and those it is validated on."""

    network: Network
    records: RecordSet
    indices: np.ndarray
    """int64 [num_train]: the photos to learn from."""
    labels: np.ndarray
    """int64 [num_records, num_ranks] of all records; UNKNOWN where the network does not know the class."""
    class_counts: ClassCounts
    order: BatchOrder
    validation: Validation

    def counts(self) -> dict[str, int]:
        """Sizes for the metrics."""
        return {
            "num_train": len(self.indices),
            "num_val": len(self.validation.indices),
            "num_classes": self.network.spec.class_counts[0],
            "num_parameters": self.network.spec.num_parameters,
        }


def prepare_training(
    params: TrainingParams,
    tfrecord: Path,
    embed: Path | None,
    *,
    region: str | None,
    views: int | None,
    split: Path | None = None,
    min_samples: Mapping[str, int] | None = None,
    start: Path | None = None,
) -> TrainingSetup:
    """Open the records, choose photos and classes (those of `region`, null: all), build the network.

    If the head starts as a linear probe, then on the features in `embed`; null: on those that the network's own
    backbone gives of the photos. `split` is read for the small training set. `min_samples` says by rank
    how many photos a class needs, and `start` is the folder of a teacher whose weights take the place of the params'.
    Raises ParamsError where `rank_weights` or `min_samples` names other ranks than the records have, TrainingError
    where there is nothing to learn from or to validate on.
    """
    records, val_records = RecordSet.open(tfrecord, "train"), RecordSet.open(tfrecord, "val")
    ranks = records.taxonomy.ranks
    if set(params.rank_weights) != set(ranks) or not any(params.rank_weights.values()):
        raise ParamsError(f"rank_weights names {', '.join(params.rank_weights)}; expected a weight for each of {ranks}")
    if unknown := (min_samples or {}).keys() - set(ranks):
        raise ParamsError(f"min_samples names {', '.join(sorted(unknown))}; expected some of {ranks}")
    chosen = select_photos(records, region)
    if params.train_set == "small":
        if split is None:
            raise ParamsError("train_set is small, but this stage is not told where the split is; expected all")
        chosen = keep_small(records, chosen, split)
    classes = select_classes(records.taxonomy, records, chosen, region)
    classes = drop_rare(classes, records, chosen, min_samples or {})
    # Of a network that starts from a teacher its own weights would be overwritten: they are not read or downloaded.
    own = params if start is None else params.model_copy(update={"weights": SCRATCH})
    # Not every architecture knows of it.
    own_args = {"drop_path_rate": params.drop_path} if params.drop_path else {}
    network = build_network(own, ranks=ranks, classes=classes, region=region, seed=params.seed, **own_args)
    if start is not None:
        network = start_from(network, start)
    labels = map_labels(records, classes, ranks)
    # A photo of a class that is not learnt still teaches its other ranks.
    known = chosen[(labels[chosen] != UNKNOWN).any(axis=1)]
    indices = known[sample_classes(labels[known, 0], params.max_samples, params.seed)]
    val_indices = select_photos(val_records, region)
    val_labels = map_labels(val_records, classes, ranks)[val_indices, 0]
    val_indices = val_indices[val_labels != UNKNOWN]
    val_labels = val_labels[val_labels != UNKNOWN]
    val_indices = val_indices[sample_classes(val_labels, params.max_samples, params.seed)]
    validation = Validation.of(val_records, val_indices, network.spec, params.batch_size, params.workers)
    if not len(indices) or not len(validation.indices):
        raise TrainingError(
            f"{tfrecord}: {len(indices)} photos to train on and {len(validation.indices)} to validate on"
            f"{f' in region {region!r}' if region else ''}; both are needed"
        )
    if params.head_init == "linear_probe":
        features = find_features(network, params, tfrecord, embed, records, indices)
        initialise_head(network, features, labels[indices])
    balanced = balance_weights(labels[indices, 0], params.balance_fraction) if params.balance_fraction else None
    order = BatchOrder(indices, params.batch_size, params.seed, views=views, weights=balanced)
    class_counts = {
        rank: count_drawn(labels[indices, column], balanced, len(classes[rank])) for column, rank in enumerate(ranks)
    }
    return TrainingSetup(network, records, indices, labels, class_counts, order, validation)
