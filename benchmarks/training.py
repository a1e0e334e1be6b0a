"""An epoch of training and validation: the train-teacher stage against timm's train.py on the same photos, interleaved.

Photos are those of a pipeline that has run, as JPEGs of 256 px: records for us, files by class for timm, whose scripts
do not come with its package:

    git clone --depth 1 https://github.com/huggingface/pytorch-image-models /tmp/timm
    python -m benchmarks.training --timm /tmp/timm --root . --rounds 3

Both crop 8 to 100 % of the area to 224 px, flip, train with AdamW and label smoothing on batches of 32, validate, and
compute with all threads that torch takes by itself; --workers says how many processes decode for each, 0 being the
training process. An epoch lasts from the end of the one before to its own end, validation and files
included; the first one, with all that starts, does not count. benchmarks/training_profile.py says where our time goes.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.embed import make_records
from benchmarks.fetch import ROOT
from fieldguide.presets import expand, load_overlay, write_params
from fieldguide.records.reader import RecordSet

SIDE = 256
LOOK_EVERY_S = 0.05
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def main() -> None:
    """Print a Markdown table for each architecture: photos a second in every round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timm", type=Path, required=True, help="folder that holds timm's train.py")
    parser.add_argument("--root", type=Path, default=Path(), help="where a pipeline has run")
    parser.add_argument("--architectures", nargs="+", default=["mobilenetv2_100", "vit_tiny_patch16_224"])
    parser.add_argument("--photos", type=int, default=10**6, help="training photos, at most")
    parser.add_argument("--image-size", type=int, default=224, help="px")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=1, help="that count, in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", default="auto", choices=["auto", "32-true", "bf16-mixed"], help="ours")
    parser.add_argument("--timm-amp", action="store_true", help="timm in bfloat16")
    parser.add_argument("--workers", type=int, default=0, help="of ours")
    parser.add_argument("--timm-workers", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="timm's; ours is the best of the machine")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fieldguide-") as name:
        folder = Path(name)
        records = make_records(options.root, folder / "records", SIDE)
        num_photos = write_files(records, folder / "files", options.photos)
        print("| network | round | ours, photos/s | train.py, photos/s | ratio |\n|---|---|---|---|---|", flush=True)
        for architecture in options.architectures:
            ratios = []
            for number in range(1, options.rounds + 1):
                ours = num_photos / time_ours(architecture, records, folder / f"ours-{number}", options)
                theirs = num_photos / time_theirs(architecture, folder, f"theirs-{number}", options)
                ratios.append(ours / theirs)
                print(f"| {architecture} | {number} | {ours:.1f} | {theirs:.1f} | {ratios[-1]:.2f} |", flush=True)
            print(f"| {architecture} | median | | | {statistics.median(ratios):.2f} |", flush=True)


def write_files(records: Path, folder: Path, num: int) -> int:
    """`folder`/SPLIT/CLASS/ID.jpg and the list of classes; returns how many photos are trained on."""
    counts = {}
    for split, most in (("train", num), ("val", num)):
        photos = RecordSet.open(records, split)
        rank = photos.taxonomy.ranks[0]
        names = [f"{place:06}" for place in range(len(photos.taxonomy.classes[rank]))]
        counts[split] = min(most, len(photos))
        for index in range(counts[split]):
            path = folder / split / names[photos.labels(rank)[index]] / f"{photos.photo_ids[index]}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(photos[index].image)
        (folder / "classes.txt").write_text("\n".join(names), encoding="utf-8")
    return counts["train"]


def time_ours(architecture: str, records: Path, workspace: Path, options: argparse.Namespace) -> float:
    """Seconds of an epoch of the train-teacher stage."""
    params: dict[str, Any] = expand(load_overlay("sample"))
    crop = {"_target_": "torchvision.transforms.v2.RandomResizedCrop", "size": options.image_size, "interpolation": 3}
    flip = {"_target_": "torchvision.transforms.v2.RandomHorizontalFlip", "p": 0.5}
    params["train_teacher"]["global"].update(
        {
            "architecture": architecture,
            "image_size": options.image_size,
            "mean": MEAN,
            "std": STD,
            "transforms": [crop, flip],
            "epochs": options.epochs + 1,
            "warmup_epochs": 0,
            "batch_size": options.batch_size,
            "learning_rate": 3e-4,
            "clip_norm": None,
            "balance_fraction": 0.0,
            "max_samples": options.photos,
            "precision": options.precision,
            "checkpoint_steps": 10**6,
            "workers": options.workers,
        }
    )
    architecture_folder = workspace / architecture
    architecture_folder.mkdir(parents=True)
    write_params(params, architecture_folder / "params.yaml")
    command = [sys.executable, "-m", "stages.train_teacher", "--teacher", "global", "--tfrecord", str(records)]
    command += ["--embed", "none", "--out", "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FIELDGUIDE_TRACKING": "off"}
    environment.pop("DVC_ROOT", None)
    return time_epochs(command, architecture_folder, environment, architecture_folder / "out" / "history.csv")


def time_theirs(architecture: str, folder: Path, name: str, options: argparse.Namespace) -> float:
    """Seconds of an epoch of train.py."""
    values = {
        "data-dir": folder / "files",
        "train-split": "train",
        "val-split": "val",
        "class-map": folder / "files" / "classes.txt",
        "model": architecture,
        "num-classes": len((folder / "files" / "classes.txt").read_text().split()),
        "img-size": options.image_size,
        "batch-size": options.batch_size,
        "opt": "adamw",
        "lr": 3e-4,
        "weight-decay": 0.05,
        "epochs": options.epochs + 1,
        "warmup-epochs": 0,
        "color-jitter": 0,
        "interpolation": "bicubic",
        "train-interpolation": "bicubic",
        "workers": options.timm_workers,
        "device": options.device,
        "output": folder / name,
        "experiment": architecture,
        "checkpoint-hist": 1,
        "log-interval": 10**6,
    }
    command = [sys.executable, "-W", "ignore", str(options.timm / "train.py"), "--channels-last"]
    command += ["--amp", "--amp-dtype", "bfloat16"] if options.timm_amp else []
    command += [part for option, value in values.items() for part in (f"--{option}", str(value))]
    command += ["--mean", *map(str, MEAN), "--std", *map(str, STD)]
    return time_epochs(command, folder, dict(os.environ), folder / name / architecture / "summary.csv")


def time_epochs(command: list[str], folder: Path, environment: dict[str, str], history: Path) -> float:
    """Median seconds between the rows that a training adds to its `history`, of which it must be the only writer."""
    with (folder / "log.txt").open("w+") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        ends: list[float] = []
        while process.poll() is None:
            if _count_rows(history) > len(ends):
                ends.append(time.perf_counter())
            time.sleep(LOOK_EVERY_S)
        if process.returncode != 0 or len(ends) < 2:
            log.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{log.read()[-3000:]}")
    return statistics.median(later - earlier for earlier, later in pairwise(ends))


def _count_rows(history: Path) -> int:
    try:
        return max(0, history.read_text(encoding="utf-8").count("\n") - 1)
    except FileNotFoundError:
        return 0


if __name__ == "__main__":
    main()
