"""What there is to compute with."""

from dataclasses import dataclass
from pathlib import Path

import psutil

from fieldguide.engine import count_workers

CPUINFO = Path("/proc/cpuinfo")
AMX = "amx_bf16"
"""Linux's name for the tiles of an Intel processor that multiply matrices of bfloat16."""


@dataclass(frozen=True)
class Machine:
    """The part of this machine that the stages may use."""

    cores: int
    memory_gb: float
    """Gigabytes of 1e9 bytes."""
    accelerator: str | None = None
    """The name of the device that PyTorch would train on; None is the processor."""
    multiplies_bfloat16: bool = False
    """Whether the processor does, many times faster than float32."""

    @property
    def trains_in_bfloat16(self) -> bool:
        """Whether it is the processor that trains, and better so; an accelerator decides by itself."""
        return self.multiplies_bfloat16 and self.accelerator is None


def look_at_machine(accelerator: str | None) -> Machine:
    """This machine, with the accelerator that PyTorch was asked about in a process of its own."""
    flags = CPUINFO.read_text(encoding="utf-8", errors="replace").split() if CPUINFO.exists() else []
    return Machine(count_workers(0), psutil.virtual_memory().total / 1e9, accelerator, AMX in flags)
