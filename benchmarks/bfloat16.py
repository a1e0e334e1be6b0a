"""What a processor does slower in bfloat16 than in float32, and what training in bfloat16 brings once it does not.

    python -m benchmarks.bfloat16 --rounds 3

Depthwise convolutions forward and backward in both; attention fused and in single steps; a clamp in place and one that
makes a new tensor; whole steps of training in float32, under autocast alone, and as we train
(fieldguide/learn/bfloat16.py). Batches of 32, random numbers, memory kept as the stages keep it.
"""

import argparse
import logging
import statistics
import time
from collections.abc import Callable
from typing import Any

import timm
import torch
import torch.nn.functional as F  # noqa: N812 (everybody's name for it)
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment

from fieldguide.learn.bfloat16 import suit_processor
from fieldguide.learn.device import reproducible

BATCH = 32
CHANNELS_LAST: Any = {"memory_format": torch.channels_last}
CONVOLUTIONS = ((1, 1, 1), (1, 2, 1), (3, 1, 1), (3, 1, 2), (3, 2, 1), (5, 1, 1), (5, 2, 1), (7, 1, 1), (7, 2, 1))
"""Kernel, stride and dilation."""
WARM_UP, STEPS = 2, 7


def main() -> None:
    """Print Markdown tables of medians, ms and photos a second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", nargs="+", default=["mobilenetv2_100", "vit_tiny_patch16_224"])
    parser.add_argument("--image-size", type=int, default=224, help="px")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    logging.disable(logging.INFO)
    with reproducible(workers=0):
        print("| forward and backward, ms | float32 | bfloat16 |\n|---|---:|---:|")
        for kernel, stride, dilation in CONVOLUTIONS:
            found = [time_convolution(kernel, stride, dilation, kind) for kind in (torch.float32, torch.bfloat16)]
            name = f"{kernel} x {kernel}, stride {stride}{f', dilation {dilation}' if dilation > 1 else ''}"
            print(f"| depthwise {name}, 96 channels of 56 px | {row(found)} |", flush=True)
        for name, fused in (("fused", True), ("in single steps", False)):
            found = [time_attention(fused, kind) for kind in (torch.float32, torch.bfloat16)]
            print(f"| attention {name}, 3 heads, 197 tokens | {row(found)} |", flush=True)
        for name, in_place in (("in place", True), ("as a new tensor", False)):
            found = [time_clamp(in_place, kind) for kind in (torch.float32, torch.bfloat16)]
            print(f"| clamp {name}, forward alone, 96 channels of 112 px | {row(found)} |", flush=True)
        print("\n| photos a second | float32 | autocast alone | as we train |\n|---|---:|---:|---:|")
        for architecture in options.architectures:
            speeds = [
                [time_step(architecture, options.image_size, *kind) for kind in KINDS] for _ in range(options.rounds)
            ]
            medians = [statistics.median(each) for each in zip(*speeds, strict=True)]
            ratios = [f"{each:.1f} ({each / medians[0]:.2f} x)" for each in medians[1:]]
            print(f"| {architecture} | {medians[0]:.1f} | {' | '.join(ratios)} |", flush=True)


KINDS: tuple[tuple[Any, bool], ...] = (("32-true", False), ("bf16-mixed", False), ("bf16-mixed", True))
"""Precision, and whether the network is suited to the processor."""


def row(seconds: list[float]) -> str:
    """Cells of a table, ms."""
    return " | ".join(f"{1000 * each:.1f}" for each in seconds)


def median_s(work: Callable[[], object]) -> float:
    """Of several calls, without the first ones."""
    spent = []
    for _ in range(WARM_UP + STEPS):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return statistics.median(spent[WARM_UP:])


def time_convolution(kernel: int, stride: int, dilation: int, kind: torch.dtype) -> float:
    """Seconds forward and backward."""
    weight = torch.randn(96, 1, kernel, kernel, dtype=kind, requires_grad=True)
    inputs = torch.randn(BATCH, 96, 56, 56).to(kind, **CHANNELS_LAST).requires_grad_()
    padding = dilation * (kernel // 2)
    return median_s(lambda: F.conv2d(inputs, weight, None, stride, padding, dilation, 96).sum().backward())


def time_attention(fused: bool, kind: torch.dtype) -> float:
    """Seconds forward and backward."""
    query, key, value = (torch.randn(BATCH, 3, 197, 64, dtype=kind, requires_grad=True) for _ in range(3))

    def attend() -> torch.Tensor:
        if fused:
            return F.scaled_dot_product_attention(query, key, value)
        return (query / 8 @ key.transpose(-2, -1)).softmax(dim=-1) @ value

    return median_s(lambda: attend().sum().backward())


def time_clamp(in_place: bool, kind: torch.dtype) -> float:
    """Seconds forward."""
    inputs = torch.randn(BATCH, 96, 112, 112).to(kind, **CHANNELS_LAST)
    return median_s(lambda: F.hardtanh(inputs, 0.0, 6.0, inplace=in_place))


def time_step(architecture: str, px: int, precision: Any, suited: bool) -> float:
    """Photos a second of forward, backward and the optimiser."""
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision, plugins=[LightningEnvironment()])
    module = timm.create_model(architecture, num_classes=50).to(**CHANNELS_LAST).train()
    if suited:
        suit_processor(module, fabric)
    network, optimizer = fabric.setup(module, torch.optim.AdamW(module.parameters(), lr=1e-4))
    images, labels = torch.randn(BATCH, 3, px, px).to(**CHANNELS_LAST), torch.randint(0, 50, (BATCH,))

    def step() -> None:
        optimizer.zero_grad()
        fabric.backward(F.cross_entropy(network(images).float(), labels))
        optimizer.step()

    return BATCH / median_s(step)


if __name__ == "__main__":
    main()
