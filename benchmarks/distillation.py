"""Does distillation help? The same student with and without its teachers, over several seeds.

Works on what a pipeline run left (`make real ... SCRATCH=dir`, or this repository itself): its records, teachers and
its `distill_student` parameters. Both arms see the same photos, views, augmentations and batches; only the soft weight
differs. Prints a Markdown table of test top-1.

    python -m benchmarks.distillation --root dir --image-size 128 --epochs 10 --seeds 1 2 3
"""

import argparse
import logging
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.learn.network import load_network
from fieldguide.learn.params import DistillationParams
from fieldguide.learn.predict import predict_batches
from fieldguide.params import load_section
from fieldguide.records.reader import RecordSet
from stages.distill_student import distill_student


def main() -> None:
    """Train every arm, print the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(), help="where a pipeline has run")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)

    base = load_section(DistillationParams, "distill_student", options.root / "params.yaml")
    shared = {
        "image_size": options.image_size,
        "epochs": options.epochs,
        "views": options.views,
        "transforms": [resized(transform, options.image_size) for transform in base.transforms],
    }
    print("| seed | with distillation | without | difference |\n|---|---|---|---|", flush=True)
    differences = []
    for seed in options.seeds:
        taught = run_arm(base.model_copy(update={**shared, "seed": seed}), options.root)
        alone = {**shared, "seed": seed, "soft_weight": 0.0, "hard_weight": 1.0}
        untaught = run_arm(base.model_copy(update=alone), options.root)
        differences.append(taught - untaught)
        print(f"| {seed} | {taught:.3f} | {untaught:.3f} | {taught - untaught:+.3f} |", flush=True)
    print(f"| mean | | | {statistics.mean(differences):+.3f} |")


def resized(transform: dict[str, Any], image_size: int) -> dict[str, Any]:
    """A transform that ends in `image_size` px if it had a size of its own."""
    return {**transform, "size": image_size} if "size" in transform else transform


def run_arm(params: DistillationParams, root: Path) -> float:
    """Train one student in a temporary folder; its top-1 on the test photos."""
    out = Path(tempfile.mkdtemp(prefix="student-"))
    try:
        distill_student(
            params,
            tfrecord=root / "interim" / "tfrecord",
            teachers=root / "models" / "teachers",
            out=out,
        )
        network = load_network(out)
        test = RecordSet.open(root / "interim" / "tfrecord", "test")
        top, num_classes = network.spec.ranks[0], network.spec.class_counts[0]
        batches = predict_batches(network, test, batch_size=params.batch_size, workers=params.workers)
        predicted = np.concatenate([logits[:, :num_classes].argmax(axis=1) for logits in batches])
        return float(np.mean(predicted == test.labels(top)))
    finally:
        shutil.rmtree(out)


if __name__ == "__main__":
    main()
