"""A stage that works alone does so wherever it is started."""

import pytest
import torch
from torch.utils import deterministic

from fieldguide.learn.device import in_precision, prepared_device


def test_a_batch_script_of_slurm_holds_one_process(monkeypatch: pytest.MonkeyPatch):
    for name, value in {"JOB_ID": "7", "JOB_NAME": "guide", "NTASKS": "2", "PROCID": "0", "LOCALID": "0"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    with prepared_device("32-true", 0) as fabric:
        assert (fabric.world_size, fabric.global_rank) == (1, 0)


def test_deterministic_algorithms_are_in_force_inside_and_memory_is_not_filled():
    with prepared_device("32-true", 0):
        assert torch.are_deterministic_algorithms_enabled()
        assert not deterministic.fill_uninitialized_memory
    assert not torch.are_deterministic_algorithms_enabled()
    assert deterministic.fill_uninitialized_memory


@pytest.mark.parametrize(("precision", "expected"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)])
def test_passes_are_computed_in_the_precision_of_training(precision, expected: torch.dtype):
    weight = torch.ones(2, 2)
    with in_precision(torch.device("cpu"), precision):
        assert (weight @ weight).dtype == expected
