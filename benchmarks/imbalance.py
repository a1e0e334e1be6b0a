"""What each remedy for rare classes gives: the student's network, taught by labels alone, once for each of them.

Works on what a pipeline run left (this repository itself, or `make real ... SCRATCH=dir`): its records and its
`distill_student` parameters, of which one thing changes at a time. Classes are divided into few, some and many by their
training photos: in thirds, or at --bounds. Prints a Markdown table of accuracies on test photos, in percent: of all
photos, the mean of the classes, and of the photos of each third; means over the seeds, behind them the standard
deviation of the mean of the classes.

    python -m benchmarks.imbalance --root . --seeds 1 2 3
"""

import argparse
import logging
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.learn.labels import UNKNOWN, map_labels
from fieldguide.learn.network import load_network
from fieldguide.learn.predict import predict_batches
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.training_params import TeacherParams, TrainingParams
from fieldguide.params import load_section
from fieldguide.records.reader import RecordSet
from stages.train_teacher import train_teacher

GROUPS = ("few", "some", "many")


def options_of(rank: str) -> dict[str, dict[str, Any]]:
    """The remedies, by the name that the table gives them, for the classes of this rank."""
    return {
        "photos as they come": {},
        "sampler 0.5": {"balance_fraction": 0.5},
        "sampler 1": {"balance_fraction": 1.0},
        "class-balanced loss 0.99": {"loss": {rank: {"kind": "class_balanced", "beta": 0.99}}},
        "class-balanced loss 0.999": {"loss": {rank: {"kind": "class_balanced", "beta": 0.999}}},
        "balanced softmax": {"loss": {rank: {"kind": "logit_adjusted", "tau": 1.0}}},
        "logit adjustment afterwards": {"rebalance": {rank: "logit_adjustment"}},
        "tau-normalisation afterwards": {"rebalance": {rank: "tau_norm"}},
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
        "input": "records",
        "max_failure_rate": 0.0,
        "balance_fraction": 0.0,
        "loss": {},
        "rebalance": {},
        "head_init": "none",
        **({"epochs": options.epochs} if options.epochs else {}),
    }
    print("| | all photos | mean of classes | few | some | many | chosen |\n|---|---|---|---|---|---|---|", flush=True)
    for name, changes in options_of(next(iter(student.rank_weights))).items():
        if options.arms and name not in options.arms:
            continue
        runs = [train({**plain, **changes, "seed": seed}, options.root, options.bounds) for seed in options.seeds]
        print(f"| {name} | {' | '.join(summarise(runs))} |", flush=True)


def train(section: dict[str, Any], root: Path, bounds: tuple[int, int] | None) -> dict[str, float]:
    """Train one network in a temporary folder; its accuracies on the test photos, and the strength that val chose."""
    params = TeacherParams.model_validate(section)
    interim = root / "interim"
    with tempfile.TemporaryDirectory(prefix="imbalance-") as folder:
        out = Path(folder)
        metrics = train_teacher(
            params, teacher="imbalance", tfrecord=interim / "tfrecord", embed=interim / "embed", out=out
        )
        network = load_network(out)
    ranks, classes = network.spec.ranks, network.spec.classes
    counts = np.bincount(labels_of(interim, "train", classes, ranks[0]), minlength=len(classes[ranks[0]]))
    test = RecordSet.open(interim / "tfrecord", "test")
    batches = predict_batches(network, test, batch_size=params.batch_size, workers=params.workers)
    answers = np.concatenate([logits[:, : len(counts)].argmax(axis=1) for logits in batches])
    truth = map_labels(test, classes, ranks)[:, 0]
    known = truth != UNKNOWN
    chosen = {name: float(value) for name, value in metrics.items() if name == f"rebalance_{ranks[0]}"}
    return {**accuracies(answers[known], truth[known], counts, bounds), **chosen}


def labels_of(interim: Path, split: str, classes: dict[str, list[str]], rank: str) -> np.ndarray:
    """Class of every photo of a split that has one: int64."""
    labels = map_labels(RecordSet.open(interim / "tfrecord", split), classes, [rank])[:, 0]
    return labels[labels != UNKNOWN]


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
    chosen = [value for run in runs for name, value in run.items() if name.startswith("rebalance_")]
    return [*cells, ", ".join(f"{value:.1f}" for value in chosen)]


if __name__ == "__main__":
    main()
