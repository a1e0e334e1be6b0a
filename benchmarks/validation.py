"""Our evaluation against timm's validate.py: the same weights, the same photos, the same answers to the last photo.

Works on what a pipeline run left: a network's folder and the records. Every test photo is written as the file that its
record holds, and the network's first rank alone as a checkpoint of timm's. timm's package comes without its scripts, so
a copy of them is needed:

    git clone --depth 1 https://github.com/huggingface/pytorch-image-models /tmp/timm
    python -m benchmarks.validation --timm /tmp/timm --root . --models models/student models/teachers/global

Both run in this project's environment, on the processor, one after the other in every round. Prints, for each network,
how many photos of how many are right at first and among five, by both, and seconds, which hold the start of a process
for validate.py alone. Exits with 1 where they differ.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from fieldguide.engine import count_workers
from fieldguide.evaluate.answers import concerned_photos
from fieldguide.evaluate.metrics import place_truth
from fieldguide.evaluate.models import network_model
from fieldguide.learn.device import prepared_device
from fieldguide.learn.network import Network, classifier_name, load_network
from fieldguide.learn.predict import predict_batches
from fieldguide.records.pixels import JPEG_START
from fieldguide.records.reader import RecordSet

Hits = tuple[int, int]
"""Photos that are right at first, and among the first five."""


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timm", type=Path, required=True, help="folder that holds timm's validate.py")
    parser.add_argument("--root", type=Path, default=Path(), help="where a pipeline has run")
    parser.add_argument("--models", type=Path, nargs="+", default=[Path("models/student")], help="below root")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("| network | photos | ours: top-1, top-5 | validate.py | ours, s | validate.py, s | ratio |")
    print("|---|---|---|---|---|---|---|", flush=True)
    is_equal = True
    test = RecordSet.open(options.root / "interim" / "tfrecord", "test")
    for model in options.models:
        network = load_network(options.root / model)
        with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
            indices, labels = write_for_timm(network, test, Path(folder))
            seconds: tuple[list[float], list[float]] = ([], [])
            for _ in range(options.rounds):
                begun = time.perf_counter()
                ours = evaluate_ours(network, test, indices, labels, options.batch_size)
                seconds[0].append(time.perf_counter() - begun)
                begun = time.perf_counter()
                theirs = evaluate_theirs(options.timm, network, Path(folder), len(indices), options.batch_size)
                seconds[1].append(time.perf_counter() - begun)
        own, other = map(statistics.median, seconds)
        ratio = statistics.median(there / here for here, there in zip(*seconds, strict=True))
        print(
            f"| {model} | {len(indices):,} | {ours[0]:,}, {ours[1]:,} | {theirs[0]:,}, {theirs[1]:,} "
            f"| {own:.1f} | {other:.1f} | {ratio:.2f} |",
            flush=True,
        )
        is_equal &= ours == theirs
    sys.exit(0 if is_equal else 1)


def write_for_timm(network: Network, test: RecordSet, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Photos by class, the list of classes and a checkpoint; positions and labels int64 [n] of the photos."""
    spec = network.spec
    indices, labels = concerned_photos(network_model("network", spec, test.taxonomy, lambda *_: []), test)
    names = [f"{place:06}" for place in range(spec.class_counts[0])]
    (folder / "classes.txt").write_text("\n".join(names), encoding="utf-8")
    for index, label in zip(indices.tolist(), labels[:, 0].tolist(), strict=True):
        image = test[index].image
        ending = "jpg" if image.startswith(JPEG_START) else "png"
        path = folder / "photos" / names[label] / f"{index}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image)
    heads = {f"{classifier_name(network.module)}.{part}" for part in ("weight", "bias")}
    state = {
        name: (tensor[: len(names)] if name in heads else tensor).contiguous()
        for name, tensor in network.module.state_dict().items()
    }
    save_file(state, str(folder / "first-rank.safetensors"))
    return indices, labels[:, 0]


def evaluate_ours(network: Network, test: RecordSet, indices: np.ndarray, labels: np.ndarray, batch_size: int) -> Hits:
    """As the evaluate stage asks a network."""
    num_classes = network.spec.class_counts[0]
    with prepared_device("32-true", 1) as fabric:
        network.module.to(fabric.device)
        batches = predict_batches(network, test, indices, batch_size=batch_size, workers=1)
        logits = np.concatenate([batch[:, :num_classes] for batch in batches])
    place = place_truth(logits, labels)
    return int((place < 1).sum()), int((place < min(5, num_classes)).sum())


def evaluate_theirs(timm: Path, network: Network, folder: Path, num_photos: int, batch_size: int) -> Hits:
    """By validate.py, whose rates are percent with four decimals."""
    spec = network.spec
    results = folder / "results.json"
    options = {
        "data-dir": folder / "photos",
        "class-map": folder / "classes.txt",
        "model": spec.architecture,
        "checkpoint": folder / "first-rank.safetensors",
        "num-classes": spec.class_counts[0],
        "img-size": spec.image_size,
        "crop-pct": 1.0,
        "interpolation": "bicubic",
        "device": "cpu",
        "workers": 1,
        "batch-size": batch_size,
        "results-file": results,
        "results-format": "json",
    }
    command = [sys.executable, "-W", "ignore", str(timm / "validate.py")]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command += ["--mean", *map(str, spec.mean), "--std", *map(str, spec.std)]
    if spec.architecture_args:
        command += ["--model-kwargs", *(f"{name}={value}" for name, value in spec.architecture_args.items())]
    # Its one worker gets a core, as ours does.
    threads = {"OMP_NUM_THREADS": str(max(1, count_workers(0) - 1))}
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **threads})
    if finished.returncode != 0 or not results.exists():
        raise SystemExit(f"validate.py failed:\n{(finished.stdout + finished.stderr)[-3000:]}")
    found = json.loads(results.read_text(encoding="utf-8"))
    return round(found["top1"] / 100 * num_photos), round(found["top5"] / 100 * num_photos)


if __name__ == "__main__":
    main()
