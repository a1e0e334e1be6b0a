"""The device to work on, and how to work on it so that the same input gives the same bits."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from torch.utils import deterministic

from fieldguide.engine import count_workers
from fieldguide.errors import ParamsError
from fieldguide.learn.params import Precision
from fieldguide.memory import keep_freed_memory

_settings: Any = deterministic


@contextmanager
def prepared_device(precision: Precision, workers: int) -> Iterator[Fabric]:
    """A Fabric of this process alone on the machine's best device; deterministic algorithms are in force inside."""
    with reproducible(workers):
        yield alone_on_device(precision)


def alone_on_device(precision: Precision) -> Fabric:
    """A Fabric of one process, also in a batch script of Slurm, in whose environment Fabric would look for others."""
    chosen = choose_precision(precision)
    return Fabric(accelerator="auto", devices=1, precision=chosen, plugins=[LightningEnvironment()])


@contextmanager
def reproducible(workers: int, num_sharing: int = 1) -> Iterator[None]:
    """Inside, the same input gives the same bits.

    The `workers` processes that decode get a core each, torch's threads the others: a core for which both compete holds
    up every parallel loop (measured: ten times slower). `num_sharing` processes like this one share the machine.
    """
    keep_freed_memory()
    # cuBLAS reads it when it starts; without it torch refuses to be deterministic.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark, torch.get_num_threads()
    filled_before = _settings.fill_uninitialized_memory
    torch.set_num_threads(max(1, count_workers(0) // num_sharing - workers))
    torch.use_deterministic_algorithms(True)
    # No network reads memory before it is written, and to fill all of it first takes up to a fifth of a step.
    _settings.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]
        torch.set_num_threads(before[2])
        _settings.fill_uninitialized_memory = filled_before


def choose_precision(precision: Precision) -> Literal["32-true", "bf16-mixed", "16-mixed"]:
    """Fabric's name for it, and what `auto` is on this machine.

    Raises ParamsError for float16 without an accelerator, where Fabric would compute in bfloat16 instead.
    """
    if precision == "fp16-mixed":
        if not torch.cuda.is_available():
            raise ParamsError(
                "precision is fp16-mixed, but this machine has no GPU; expected auto, 32-true or bf16-mixed"
            )
        return "16-mixed"
    if precision != "auto":
        return precision
    has_bfloat16 = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16-mixed" if has_bfloat16 else "32-true"


def precision_of_passes(precision: Precision) -> Literal["32-true", "bf16-mixed"]:
    """Of passes that learn nothing, where training has this one: float16 has less range than answers may need."""
    return "bf16-mixed" if choose_precision(precision) == "bf16-mixed" else "32-true"


def in_precision(device: torch.device, precision: Precision) -> torch.autocast:
    """`precision_of_passes`, for passes that Fabric does not wrap."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision_of_passes(precision) == "bf16-mixed")
