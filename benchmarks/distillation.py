"""Which change to a student's training pays? One at a time, from the recipe that a pipeline ran with.

One change at a time, over several seeds. Works on what a pipeline run left (`make real ... SCRATCH=dir`, or this
repository itself): its records, teachers and its `distill_student` parameters. All arms see the same photos. With
`--minutes` an arm gets as many epochs as fit into that time, by the speed of first short runs, so that arms are
compared at equal wall time; the teachers' answers are asked beforehand and are not counted. Prints a Markdown table:
top-1 on val and test, mean and standard deviation over the seeds, and the difference to hard labels alone.

    python -m benchmarks.distillation --root dir --seeds 1 2 3 --minutes 10
    python -m benchmarks.distillation --root dir --seeds 1 --epochs 1 --max-samples 64 --arms recipe "hard labels"
    python -m benchmarks.distillation --root dir --step
"""

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.distillation_step import compare_steps
from fieldguide.learn.network import load_network
from fieldguide.learn.predict import predict_batches
from fieldguide.learn.student_params import DistillationParams
from fieldguide.params import load_section
from fieldguide.records.reader import RecordSet
from stages.distill_student import distill_student

HARD = "hard labels"
RECIPE = "recipe"
CHANGES: dict[str, dict[str, Any]] = {
    HARD: {"soft_weight": 0.0, "hard_weight": 1.0},
    RECIPE: {},
    "30 views": {"views": 30},
    "standardized": {"standardize": True, "temperature": 2.0, "soft_weight": 2.0},
    "decoupled": {"decoupled": {"alpha": 1.0, "beta": 2.0}},
    "features": {"feature_weight": 1.0},
    "pairs": {"mix": {"alpha": 1.0, "probability": 0.5}, "views": 30},
    "no labels": {"soft_weight": 1.0, "hard_weight": 0.0},
    "no labels, pairs": {
        "soft_weight": 1.0,
        "hard_weight": 0.0,
        "mix": {"alpha": 1.0, "probability": 1.0},
        "views": 30,
    },
    "EMA": {"ema_decay": 0.99},
    "small images first": {"small_first": True},
    "one size of images": {"image_sizes": []},
    "random head": {"head_init": "none"},
    "all layers learn": {"unfreeze": None},
    "top 5 logits": {"cache": {"kind": "topk", "k": 5}},
}
"""What an arm does otherwise. `small_first`: half of the epochs at 70 % of the side, in steps of 16 px."""


@dataclass(frozen=True)
class Result:
    """Of one arm with one seed."""

    val: float
    test: float
    seconds: float


def main() -> None:
    """Train every arm, print its row when it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(), help="where a pipeline has run")
    parser.add_argument("--tfrecord", type=Path, help="records; ROOT/interim/tfrecord if not given")
    parser.add_argument("--teachers", type=Path, help="a folder for each teacher; ROOT/models/teachers if not given")
    parser.add_argument("--params", type=Path, help="the recipe; ROOT/params.yaml if not given")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument(
        "--arms", nargs="+", choices=CHANGES, default=list(CHANGES), metavar="ARM", help=", ".join(CHANGES)
    )
    parser.add_argument("--minutes", type=float, help="wall time of each training; else --epochs, else the recipe's")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--max-samples", type=int, help="photos to learn from, to try things out")
    parser.add_argument("--step", action="store_true", help="only compare a step's CPU time with online distillation")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    tfrecord = (options.tfrecord or options.root / "interim" / "tfrecord").absolute()
    teachers = (options.teachers or options.root / "models" / "teachers").absolute()
    recipe = load_section(DistillationParams, "distill_student", options.params or options.root / "params.yaml")
    asked = {"max_samples": options.max_samples, "epochs": options.epochs}
    base = recipe.model_dump(mode="json") | {key: value for key, value in asked.items() if value}
    # Caches of a benchmark are its own: it leaves the folder that it looks at as it is.
    with tempfile.TemporaryDirectory(prefix="distillation-") as scratch, main_repository(Path(scratch)):
        if options.step:
            print(compare_steps(DistillationParams.model_validate(base), tfrecord, teachers))
            return
        print(
            "| change | val top-1 | test top-1 | over hard labels (test) | wall s | epochs |\n|---|---|---|---|---|---|"
        )
        hard: list[Result] = []
        for arm in options.arms:
            results, epochs = run_arm(base, CHANGES[arm], options.seeds, options.minutes, tfrecord, teachers)
            hard = results if arm == HARD else hard
            print(row(arm, results, hard, epochs), flush=True)


def run_arm(
    base: Mapping[str, Any],
    changes: Mapping[str, Any],
    seeds: list[int],
    minutes: float | None,
    tfrecord: Path,
    teachers: Path,
) -> tuple[list[Result], int]:
    """A result for each seed, and the epochs that each took."""
    results: list[Result] = []
    epochs = int(base["epochs"])
    for seed in seeds:
        whole = {**base, "seed": seed}
        # Asks the teachers, and shows what an epoch takes.
        warm = make_params(whole | {"warmup_epochs": 0, "patience": None}, changes, 1)
        measure(warm, tfrecord, teachers)
        if minutes and not results:
            one = measure(warm, tfrecord, teachers).seconds
            two = measure(make_params(whole, changes, 3), tfrecord, teachers).seconds
            epochs = max(1, round(1 + (minutes * 60 - one) / max((two - one) / 2, 1e-3)))
        results.append(measure(make_params(whole, changes, epochs), tfrecord, teachers))
    return results, epochs


def make_params(base: Mapping[str, Any], changes: Mapping[str, Any], epochs: int) -> DistillationParams:
    """The recipe with one change."""
    params = {**base, **changes, "epochs": epochs}
    if params.pop("small_first", False):
        params["image_sizes"] = [[base["epochs"] // 2, max(16, round(params["image_size"] * 0.7 / 16) * 16)]]
    # Each size for its share of the epochs, and the last one for one epoch at least.
    shares = [(side, num / base["epochs"]) for num, side in params["image_sizes"]]
    sizes, left = [], epochs - 1
    for side, share in shares:
        num = min(left, round(share * epochs))
        left -= num
        sizes += [[num, side]] if num else []
    params["image_sizes"] = sizes
    return DistillationParams.model_validate(params)


def measure(params: DistillationParams, tfrecord: Path, teachers: Path) -> Result:
    """Train one student in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="student-") as out:
        started = time.monotonic()
        metrics = distill_student(params, tfrecord=tfrecord, teachers=teachers, out=Path(out))
        seconds = time.monotonic() - started
        network = load_network(Path(out))
        test = RecordSet.open(tfrecord, "test")
        batches = predict_batches(network, test, batch_size=params.batch_size, workers=params.workers)
        num_classes = network.spec.class_counts[0]
        answers = np.concatenate([logits[:, :num_classes].argmax(axis=1) for logits in batches])
    right = float(np.mean(answers == test.labels(network.spec.ranks[0])))
    return Result(float(metrics["val_top1"]), right, seconds)


def row(arm: str, results: list[Result], hard: list[Result], epochs: int) -> str:
    """An arm's line of the table; differences are of equal seeds."""
    gains = [ours.test - theirs.test for ours, theirs in zip(results, hard, strict=False)]
    cells = [
        arm,
        spread([result.val for result in results]),
        spread([result.test for result in results]),
        spread(gains, "+.3f") if gains else "",
        f"{statistics.mean(result.seconds for result in results):.0f}",
        str(epochs),
    ]
    return f"| {' | '.join(cells)} |"


def spread(values: list[float], form: str = ".3f") -> str:
    """Mean and standard deviation, as far as there are several."""
    deviation = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{form}}{deviation}"


@contextmanager
def main_repository(folder: Path) -> Iterator[None]:
    """Runs keep checkpoints and the teachers' answers below `folder`."""
    before = os.environ.get("DVC_ROOT")
    os.environ["DVC_ROOT"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["DVC_ROOT"]
        else:
            os.environ["DVC_ROOT"] = before


if __name__ == "__main__":
    main()
