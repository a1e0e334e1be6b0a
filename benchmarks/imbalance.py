"""What each remedy for rare classes gives: the student's network, taught by labels alone, once for each of them.

Works on what a pipeline run left (this repository itself, or `make real ... SCRATCH=dir`): its records and its
`distill_student` parameters, of which one thing changes at a time. Classes are divided into few, some and many by their
training photos: in thirds, or at --bounds. What acts on a finished classifier is tried on the first arm's networks.
Prints a Markdown table of accuracies on test photos, in percent: of all photos, the mean of the classes, and of the
photos of each third; means over the seeds, behind them the standard deviation of the mean of the classes.

    python -m benchmarks.imbalance --root . --seeds 1 2 3 --epochs 6
"""

import argparse
import logging
import statistics
import sys
import tempfile
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.learn.imbalance import count_drawn
from fieldguide.learn.labels import UNKNOWN, map_labels
from fieldguide.learn.network import Network, load_network
from fieldguide.learn.predict import predict_batches
from fieldguide.learn.rebalancing import rebalance_classifier
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.training_params import Rebalancing, TeacherParams, TrainingParams
from fieldguide.learn.validation import Validation
from fieldguide.params import load_section
from fieldguide.records.reader import RecordSet
from stages.train_teacher import train_teacher

GROUPS = ("few", "some", "many")
PLAIN = "photos as they come"
AFTERWARDS: dict[str, Rebalancing] = {
    "logit adjustment afterwards": "logit_adjustment",
    "tau-normalisation afterwards": "tau_norm",
}
"""What acts on the finished networks of PLAIN, by the name that the table gives it."""


def options_of(rank: str) -> dict[str, dict[str, Any]]:
    """What acts in training, by the name that the table gives it, for the classes of this rank."""
    return {
        PLAIN: {},
        "sampler 0.5": {"balance_fraction": 0.5},
        "sampler 1": {"balance_fraction": 1.0},
        "class-balanced loss 0.99": {"loss": {rank: {"kind": "class_balanced", "beta": 0.99}}},
        "class-balanced loss 0.999": {"loss": {rank: {"kind": "class_balanced", "beta": 0.999}}},
        "balanced softmax": {"loss": {rank: {"kind": "logit_adjusted", "tau": 1.0}}},
    }


def main() -> None:
    """Train every arm with every seed, print the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(), help="where a pipeline has run")
    parser.add_argument("--epochs", type=int, help="the student's own without it")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--bounds", type=int, nargs=2, help="training photos: few are fewer, many are more")
    parser.add_argument("--arms", nargs="+", help="those of these names only")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)

    student = load_section(DistillationParams, "distill_student", options.root / "params.yaml")
    shared = {name: getattr(student, name) for name in TrainingParams.model_fields}
    plain: dict[str, Any] = {
        **TrainingParams.model_construct(**shared).model_dump(by_alias=True),
        "region": None,
        "init_from": None,
        "min_samples": {},
        "input": "records",
        "max_failure_rate": 0.0,
        "balance_fraction": 0.0,
        "loss": {},
        "rebalance": {},
        "head_init": "none",
        **({"epochs": options.epochs} if options.epochs else {}),
    }
    print("| | all photos | mean of classes | few | some | many | chosen |\n|---|---|---|---|---|---|---|", flush=True)
    records = Records.open(options.root / "interim" / "tfrecord")
    for name, changes in options_of(next(iter(student.rank_weights))).items():
        if options.arms and name not in options.arms:
            continue
        networks = [train({**plain, **changes, "seed": seed}, options.root) for seed in options.seeds]
        runs = [judge(network, records, student.batch_size, options.bounds) for network in networks]
        print(f"| {name} | {' | '.join(summarise(runs))} |", flush=True)
        for after, method in AFTERWARDS.items() if name == PLAIN else ():
            runs = [adjust(network, method, records, student.batch_size, options.bounds) for network in networks]
            print(f"| {after} | {' | '.join(summarise(runs))} |", flush=True)


@dataclass(frozen=True)
class Records:
    """What is learnt from, chosen by and judged on."""

    train: RecordSet
    val: RecordSet
    test: RecordSet

    @classmethod
    def open(cls, tfrecord: Path) -> "Records":
        """Those of a finished tfrecord folder."""
        return cls(*(RecordSet.open(tfrecord, split) for split in ("train", "val", "test")))


def train(section: dict[str, Any], root: Path) -> Network:
    """Train one network in a temporary folder."""
    interim = root / "interim"
    with tempfile.TemporaryDirectory(prefix="imbalance-") as folder:
        out = Path(folder)
        train_teacher(
            TeacherParams.model_validate(section),
            teacher="imbalance",
            tfrecord=interim / "tfrecord",
            embed=interim / "embed",
            split=interim / "split",
            out=out,
        )
        return load_network(out)


def adjust(
    network: Network, method: Rebalancing, records: Records, batch_size: int, bounds: tuple[int, int] | None
) -> dict[str, float]:
    """Accuracies of a copy of the network that is adjusted as `rebalance` would, and the strength that val chose."""
    copy, rank = Network(deepcopy(network.module), network.spec), network.spec.ranks[0]
    counts = {rank: count_drawn(labels_of(records.train, network), None, network.spec.class_counts[0])}
    validation = Validation.of(records.val, np.arange(len(records.val)), network.spec, batch_size, workers=0)
    chosen = rebalance_classifier(copy, {rank: method}, counts, validation)[f"rebalance_{rank}"]
    return {**judge(copy, records, batch_size, bounds), "strength": chosen}


def judge(network: Network, records: Records, batch_size: int, bounds: tuple[int, int] | None) -> dict[str, float]:
    """Accuracies of a network on the test photos."""
    num_classes = network.spec.class_counts[0]
    trained = labels_of(records.train, network)
    counts = np.bincount(trained[trained != UNKNOWN], minlength=num_classes)
    batches = predict_batches(network, records.test, batch_size=batch_size, workers=0)
    answers = np.concatenate([logits[:, :num_classes].argmax(axis=1) for logits in batches])
    truth = labels_of(records.test, network)
    known = truth != UNKNOWN
    return accuracies(answers[known], truth[known], counts, bounds)


def labels_of(records: RecordSet, network: Network) -> np.ndarray:
    """Class of every photo at the network's first rank: int64, UNKNOWN where it knows none."""
    return map_labels(records, network.spec.classes, network.spec.ranks[:1])[:, 0]


def accuracies(
    answers: np.ndarray, truth: np.ndarray, counts: np.ndarray, bounds: tuple[int, int] | None
) -> dict[str, float]:
    """Shares of right answers: `all`, `classes` (the mean of the classes that `truth` has), and of each group.

    `answers` and `truth` int64 [num_photos]; `counts` int64 [classes] are training photos. Without `bounds` the classes
    that have any are divided in thirds.
    """
    right = answers == truth
    present = np.unique(truth)
    if bounds is None:
        seen = np.sort(counts[counts > 0])
        first, last = seen[len(seen) // 3], seen[-(len(seen) // 3) - 1]
    else:
        first, last = bounds
    group = np.digitize(counts[truth], [first, last + 1])
    return {
        "all": float(right.mean()),
        "classes": float(np.mean([right[truth == label].mean() for label in present])),
        **{name: float(right[group == place].mean()) for place, name in enumerate(GROUPS) if (group == place).any()},
    }


def summarise(runs: list[dict[str, float]]) -> list[str]:
    """The cells of a row."""
    cells = []
    for name in ("all", "classes", *GROUPS):
        values = [100 * run[name] for run in runs if name in run]
        spread = f" ± {statistics.stdev(values):.1f}" if name == "classes" and len(values) > 1 else ""
        cells.append(f"{statistics.mean(values):.1f}{spread}" if values else "")
    chosen = [run["strength"] for run in runs if "strength" in run]
    return [*cells, ", ".join(f"{value:.1f}" for value in chosen)]


if __name__ == "__main__":
    main()
