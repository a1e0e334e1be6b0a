"""Where the time of a training step goes, and what each way to shorten it brings, on one processor.

Trains on a pipeline's own records, several steps in each variant, variants one after the other in every round:

    python -m benchmarks.training_profile --root . --architecture mobilenetv2_100 --steps 20 --rounds 3

`wait` is for the decoder, the rest as the words say; `wait` near 0 means that photos come fast enough. The variants
differ from the first, which is how we train, in one thing each: threads of torch (`all threads`: the decoder shares a
core), no process that decodes, the layout of memory, bfloat16, torch.compile.
"""

import argparse
import statistics
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import timm
import torch
from timm.optim._optim_factory import create_optimizer_v2
from torch import nn
from torchvision.transforms import InterpolationMode, v2

from fieldguide.engine import count_workers
from fieldguide.learn.fingerprint import describe_device
from fieldguide.memory import keep_freed_memory
from fieldguide.records.order import BatchOrder
from fieldguide.records.torch.dataset import RecordDataset
from fieldguide.records.torch.drawing import to_input
from fieldguide.records.torch.loading import load_batches

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PARTS = ("wait", "to input", "forward", "backward", "optimiser")
WARM_UP = 3
"""Steps that do not count."""


@dataclass(frozen=True)
class Variant:
    """How to train."""

    name: str
    workers: int = 1
    all_threads: bool = False
    channels_last: bool = True
    bfloat16: bool = False
    compiled: bool = False


OURS = Variant("as we train")
VARIANTS = (
    OURS,
    replace(OURS, name="all threads", all_threads=True),
    replace(OURS, name="no worker, all threads", workers=0, all_threads=True),
    replace(OURS, name="contiguous", channels_last=False),
    replace(OURS, name="bfloat16", bfloat16=True),
    replace(OURS, name="torch.compile", compiled=True),
    replace(OURS, name="torch.compile, bfloat16", compiled=True, bfloat16=True),
)


def main() -> None:
    """Print a Markdown table of medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(), help="where a pipeline has run")
    parser.add_argument("--architecture", default="mobilenetv2_100")
    parser.add_argument("--image-size", type=int, default=224, help="px")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--variants", nargs="+", choices=[each.name for each in VARIANTS], metavar="NAME",
                        default=[each.name for each in VARIANTS], help="by default all")  # fmt: skip
    options = parser.parse_args()
    keep_freed_memory()
    print(f"{describe_device()}; torch {torch.__version__}\n")
    chosen = [each for each in VARIANTS if each.name in options.variants]
    found: dict[str, list[dict[str, float]]] = {each.name: [] for each in chosen}
    for _ in range(options.rounds):
        for variant in chosen:
            found[variant.name].append(train(variant, options))
    print(f"| variant | photos/s | {' | '.join(f'{part}, ms' for part in PARTS)} |\n|---|---|{'---|' * len(PARTS)}")
    for name, rounds in found.items():
        parts = {part: statistics.median(each[part] for each in rounds) for part in PARTS}
        speed = statistics.median(options.batch_size / sum(each.values()) for each in rounds)
        print(f"| {name} | {speed:.1f} | {' | '.join(f'{1000 * parts[part]:.1f}' for part in PARTS)} |")


def train(variant: Variant, options: argparse.Namespace) -> dict[str, float]:
    """Seconds of a step by its parts, means."""
    cores = count_workers(0)
    torch.set_num_threads(cores if variant.all_threads else max(1, cores - variant.workers))
    torch.manual_seed(1)
    photos = open_photos(options)
    order = BatchOrder(range(len(photos)), options.batch_size, seed=1, views=None)
    layout = torch.channels_last if variant.channels_last else torch.contiguous_format
    module = timm.create_model(options.architecture, num_classes=len(photos.classes)).to(memory_format=layout).train()
    optimizer = create_optimizer_v2(module, opt="adamw", lr=3e-4, weight_decay=0.05)
    network = torch.compile(module) if variant.compiled else module
    autocast: Any = torch.autocast("cpu", torch.bfloat16) if variant.bfloat16 else nullcontext()
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    spent = dict.fromkeys(PARTS, 0.0)
    batches = load_batches(photos, order.iterate(10**6), variant.workers)
    for step in range(WARM_UP + options.steps):
        marks = [time.perf_counter()]
        images, labels = next(batches)
        marks.append(time.perf_counter())
        inputs = to_input(images, MEAN, STD).contiguous(memory_format=layout)
        marks.append(time.perf_counter())
        with autocast:
            value = loss(network(inputs).float(), labels)
        marks.append(time.perf_counter())
        optimizer.zero_grad()
        value.backward()
        marks.append(time.perf_counter())
        optimizer.step()
        marks.append(time.perf_counter())
        if step >= WARM_UP:
            for part, begun, ended in zip(PARTS, marks[:-1], marks[1:], strict=True):
                spent[part] += (ended - begun) / options.steps
    return spent


def open_photos(options: argparse.Namespace) -> RecordDataset:
    """The training photos, with a crop and a flip."""
    crop = v2.RandomResizedCrop(options.image_size, interpolation=InterpolationMode.BICUBIC)
    transform = [crop, v2.RandomHorizontalFlip()]
    tfrecord = options.root / "interim" / "tfrecord"
    return RecordDataset(tfrecord, "train", options.image_size, transform=transform, seed=1)


if __name__ == "__main__":
    main()
