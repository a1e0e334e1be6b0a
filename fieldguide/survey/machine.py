"""What there is to compute with."""

from dataclasses import dataclass

import psutil

from fieldguide.engine import count_workers


@dataclass(frozen=True)
class Machine:
    """The part of this machine that the stages may use."""

    cores: int
    memory_gb: float
    """Gigabytes of 1e9 bytes."""
    accelerator: str | None = None
    """The name of the device that PyTorch would train on; None is the processor."""


def look_at_machine(accelerator: str | None) -> Machine:
    """This machine, with the accelerator that PyTorch was asked about in a process of its own."""
    return Machine(count_workers(0), psutil.virtual_memory().total / 1e9, accelerator)
