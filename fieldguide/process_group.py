"""Which of the processes that work together on one stage this one is, as torchrun or Slurm's srun says.

It is known before anything is imported that trains: only the first one writes files and speaks to people and to MLflow.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ProcessGroup:
    """A place among processes, which may be spread over machines."""

    number: int = 0
    """Of this process, from 0."""
    size: int = 1
    local_number: int = 0
    """Of this process on its machine."""
    local_size: int = 1
    """Processes on each machine."""
    machine: int = 0
    """Number of this machine, from 0."""

    def variables(self) -> dict[str, str]:
        """As torchrun would tell it."""
        return {
            "RANK": str(self.number),
            "WORLD_SIZE": str(self.size),
            "LOCAL_RANK": str(self.local_number),
            "LOCAL_WORLD_SIZE": str(self.local_size),
            "GROUP_RANK": str(self.machine),
        }


def find_process_group(variables: Mapping[str, str] = os.environ) -> ProcessGroup:
    """The place of this process: alone, unless torchrun, or srun with several tasks, started it.

    A batch script of Slurm is alone whatever the job holds: only a step of srun has as many processes as tasks.
    """
    if "RANK" in variables:
        number, size = int(variables["RANK"]), int(variables.get("WORLD_SIZE", "1"))
        return ProcessGroup(
            number,
            size,
            int(variables.get("LOCAL_RANK", number)),
            int(variables.get("LOCAL_WORLD_SIZE", size)),
            int(variables.get("GROUP_RANK", "0")),
        )
    if (size := int(variables.get("SLURM_STEP_NUM_TASKS", "1"))) > 1:
        # `2(x3)` where each of three machines has two tasks.
        on_each = re.match(r"\d+", variables.get("SLURM_STEP_TASKS_PER_NODE", str(size)))
        assert on_each
        return ProcessGroup(
            int(variables["SLURM_PROCID"]),
            size,
            int(variables["SLURM_LOCALID"]),
            int(on_each.group()),
            int(variables["SLURM_NODEID"]),
        )
    return ProcessGroup()


def is_first_process() -> bool:
    """Whether this process speaks for all."""
    return find_process_group().number == 0
