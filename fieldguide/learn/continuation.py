"""A teacher that starts from another one: its best weights, and the rows of the head that name the same classes."""

from itertools import accumulate
from pathlib import Path

import torch

from fieldguide.files import file_sha256
from fieldguide.learn.description import BEST_FILE, NetworkSpec
from fieldguide.learn.network import Network, classifier_name, classifier_of, load_network
from fieldguide.learn.soft_losses import share_classes
from fieldguide.learn.weights import fill_network


def start_from(network: Network, folder: Path) -> Network:
    """`network` with the best weights of the trained teacher in `folder`, in place, and a description that says so.

    A row of the classifier is taken where both know a class of that name at that rank; the others stay as they are.
    Raises TrainingError or RecordError where the teacher is not trained, damaged or of another architecture.
    """
    given, own = load_network(folder), network.spec
    head = classifier_name(network.module)
    body = {key: value for key, value in given.module.state_dict().items() if not key.startswith(f"{head}.")}
    fill_network(network.module, body, [head], folder / BEST_FILE)
    _copy_known_classes(network, given)
    origin = {
        "from": "teacher",
        "name": folder.name,
        "sha256": file_sha256(folder / BEST_FILE),
        "weights": given.spec.weights,
    }
    return Network(network.module, own.model_copy(update={"weights": origin}))


def _copy_known_classes(network: Network, given: Network) -> None:
    own_starts, given_starts = _starts(network.spec), _starts(given.spec)
    own_head, given_head = classifier_of(network.module), classifier_of(given.module)
    with torch.no_grad():
        for rank in network.spec.ranks:
            shared = share_classes(network.spec.classes[rank], given.spec.classes.get(rank, []))
            rows, sources = shared.student + own_starts[rank], shared.teacher + given_starts.get(rank, 0)
            own_head.weight[rows] = given_head.weight[sources]
            own_head.bias[rows] = given_head.bias[sources]


def _starts(spec: NetworkSpec) -> dict[str, int]:
    """The first output of each rank."""
    return dict(zip(spec.ranks, accumulate(spec.class_counts, initial=0), strict=False))
