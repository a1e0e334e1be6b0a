"""What torchrun and srun say, as tables."""

import pytest

from fieldguide.process_group import ProcessGroup, find_process_group

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "1"}
SRUN = {
    "SLURM_NTASKS": "6",
    "SLURM_STEP_NUM_TASKS": "6",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_STEP_TASKS_PER_NODE": "2(x3)",
    "SLURM_NODEID": "2",
}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ProcessGroup()),
        (TORCHRUN, ProcessGroup(3, 4, 1, 2, 1)),
        ({"RANK": "1", "WORLD_SIZE": "2"}, ProcessGroup(1, 2, 1, 2, 0)),
        (SRUN, ProcessGroup(5, 6, 1, 2, 2)),
        (TORCHRUN | SRUN, ProcessGroup(3, 4, 1, 2, 1)),
        # A batch script, which is one process of a job that may hold more; and a step of one task.
        ({"SLURM_NTASKS": "6", "SLURM_PROCID": "0"}, ProcessGroup()),
        ({"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}, ProcessGroup()),
    ],
)
def test_place(variables: dict[str, str], expected: ProcessGroup):
    assert find_process_group(variables) == expected


def test_a_place_is_told_as_torchrun_tells_it():
    place = find_process_group(SRUN)
    assert find_process_group(place.variables()) == place
