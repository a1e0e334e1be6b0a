"""What the embed stage adds to the network's own time: its rate against a bare `model(batch)`, side by side.

Makes records of 256 px of the photos of a pipeline that has run (this repository itself), then in every round, one
after the other: the network on batches that lie in memory, a plain loop that reads, decodes and shows the same batches,
and the embed stage's own work from records to finished pieces, with the same threads for all. Prints photos a second,
medians of the rounds, and ratios.

    python -m benchmarks.embed --architecture vit_small_patch16_224 --photos 512 --rounds 5
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn

from fieldguide.learn.dataset import Key, PhotoDataset
from fieldguide.learn.device import prepared_device
from fieldguide.learn.embedder import build_embedder
from fieldguide.learn.embedding import Piece, compute_pieces
from fieldguide.learn.params import EmbedParams
from fieldguide.learn.predict import call, run_batches
from fieldguide.params import read_params
from fieldguide.records.reader import RecordSet

SIDE = 256
"""Of the records, px."""

Arm = Callable[[], int]
"""Shows photos to the network; returns how many."""


def main() -> None:
    """Measure in rounds and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", default="vit_small_patch16_224")
    parser.add_argument("--image-size", type=int, default=224, help="px, of the network")
    parser.add_argument("--root", type=Path, default=Path(), help="where a pipeline has run")
    parser.add_argument("--photos", type=int, default=512, help="training photos that are shown, at most")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--workers", type=int, default=0, help="processes that decode; 0: the network's own")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    params = make_params(options)
    with tempfile.TemporaryDirectory(prefix="embed-") as folder:
        tfrecord = make_records(options.root, Path(folder) / "records", SIDE)
        rates = measure(params, tfrecord, Path(folder) / "pieces", options.photos, options.rounds)
    bare = rates["bare model(batch)"]
    print("| what | photos/s | of bare |\n|---|---|---|")
    for name, rate in rates.items():
        print(f"| {name} | {rate:.1f} | {rate / bare:.3f} |")


def make_params(options: argparse.Namespace) -> EmbedParams:
    """An `embed` section for the options."""
    return EmbedParams.model_validate(
        {
            "backbone": {
                "architecture": options.architecture,
                "architecture_args": {},
                "image_size": options.image_size,
                "mean": [0.5, 0.5, 0.5],
                "std": [0.5, 0.5, 0.5],
                "weights": {"from": "scratch"},
            },
            "outputs": "prelogits",
            "batch_size": options.batch_size,
            "precision": options.precision,
            "devices": 1,
            "workers": options.workers,
            "review": {"max_photos": 1, "folds": 2, "map_photos": 0, "truth": None},
            "grey": False,
            "fuse": "none",
            "seed": 0,
        }
    )


def measure(params: EmbedParams, tfrecord: Path, folder: Path, num: int, rounds: int) -> dict[str, float]:
    """Photos a second by arm, medians; the first round of all is not counted."""
    with prepared_device(params.precision, params.workers) as fabric:
        embedder = build_embedder(params.backbone, params.outputs, params.seed)
        module = fabric.setup_module(embedder.to(memory_format=torch.channels_last))
        photos = PhotoDataset(RecordSet.open(tfrecord, "train"), params.backbone)
        folder.mkdir()
        keys = [(0, index) for index in range(min(num, len(photos)))]
        batches = [keys[start : start + params.batch_size] for start in range(0, len(keys), params.batch_size)]
        # As the stage cuts them, but for shards: one piece is enough for the speed.
        piece = Piece(folder / "train.npy", keys)
        sizes = {"batch_size": params.batch_size, "workers": params.workers}
        ready = [images.to(fabric.device) for images in ready_batches(photos, batches, params.workers)]
        arms: dict[str, Arm] = {
            "bare model(batch)": lambda: show_ready(module, ready),
            "plain loop over records": lambda: sum(
                map(len, run_batches(module, photos, batches, call, params.workers))
            ),
            "the embed stage's work": lambda: embed(module, photos, piece, sizes),
        }
        seconds: dict[str, list[float]] = {name: [] for name in arms}
        for number in range(rounds + 1):
            for name, arm in arms.items():
                begun = time.perf_counter()
                shown = arm()
                if number:
                    seconds[name].append((time.perf_counter() - begun) / shown)
    return {name: 1 / statistics.median(each) for name, each in seconds.items()}


def ready_batches(photos: PhotoDataset, batches: list[list[Key]], workers: int) -> Iterator[torch.Tensor]:
    """The inputs themselves, as the network would get them."""
    for images in run_batches(nn.Linear(1, 1), photos, batches, lambda _, images: images, workers):
        yield images.contiguous(memory_format=torch.channels_last)


def show_ready(module: nn.Module, batches: list[torch.Tensor]) -> int:
    """The bare rate: nothing but the network, and its answers brought to the CPU."""
    with torch.inference_mode():
        return sum(len(module(batch).float().cpu()) for batch in batches)


def embed(module: nn.Module, photos: PhotoDataset, piece: Piece, sizes: dict[str, int]) -> int:
    """From records to a sealed piece on the disk."""
    compute_pieces(module, photos, [piece], call, batch_size=sizes["batch_size"], workers=sizes["workers"], label=None)
    return len(piece.keys)


def make_records(root: Path, workspace: Path, side: int) -> Path:
    """Records of `side` px of the photos of a pipeline that has run, by the stages themselves; their folder."""
    params = read_params(root / "params.yaml")
    params["resize"]["size"] = side
    workspace.mkdir()
    (workspace / "params.yaml").write_text(json.dumps(params), encoding="utf-8")
    fetch, split = (str((root / "interim" / name).resolve()) for name in ("fetch", "split"))
    for stage, options in {
        "resize": ["--fetch", fetch, "--split", split, "--out", "resize"],
        "tfrecord": ["--resize", "resize", "--split", split, "--out", "tfrecord"],
    }.items():
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "FIELDGUIDE_TRACKING": "off"}
        subprocess.run([sys.executable, "-m", f"stages.{stage}", *options], cwd=workspace, env=environment, check=True)
    return workspace / "tfrecord"


if __name__ == "__main__":
    main()
