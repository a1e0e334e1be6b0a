"""Which tensors learn in which epoch, and that what is frozen does not move at all."""

import pytest
import torch

from fieldguide.learn.freezing import freeze_backbone, thawed_fraction
from fieldguide.learn.network import classifier_of
from fieldguide.learn.training_params import UnfreezeParams
from tests.learn.making import make_network


def schedule(start: int = 1, duration: int = 4, final_fraction: float = 0.4) -> UnfreezeParams:
    return UnfreezeParams(start=start, duration=duration, final_fraction=final_fraction)


@pytest.mark.parametrize(
    ("unfreeze", "expected"),
    [
        (schedule(), [0.0, 0.08, 0.16, 0.24, 0.32, 0.4, 0.4, 0.4]),
        (schedule(start=3, duration=1, final_fraction=1.0), [0.0, 0.0, 0.0, 0.5, 1.0, 1.0]),
        (schedule(start=2, duration=0), [0.0, 0.0, 0.4, 0.4]),
        (schedule(start=0, duration=1), [0.2, 0.4, 0.4]),
    ],
)
def test_the_thawed_fraction_of_each_epoch(unfreeze: UnfreezeParams, expected: list[float]):
    assert [thawed_fraction(unfreeze, epoch) for epoch in range(len(expected))] == pytest.approx(expected)


@pytest.mark.parametrize("epoch", [0, 1, 3, 5, 9])
def test_the_last_tensors_thaw_and_the_classifier_always_learns(epoch: int):
    module = make_network().module
    num_learning = freeze_backbone(module, schedule(), epoch)
    classifier = classifier_of(module)
    backbone = [name for name, _ in module.named_parameters() if not name.startswith("classifier")]
    expected = len(backbone) - round((1 - thawed_fraction(schedule(), epoch)) * len(backbone))
    learning = [name for name in backbone if module.get_parameter(name).requires_grad]
    assert (num_learning, learning) == (expected, backbone[len(backbone) - expected :])
    assert classifier.weight.requires_grad
    assert classifier.bias.requires_grad


@pytest.mark.parametrize("epoch", [0, 2])
def test_statistics_of_frozen_norms_do_not_move(epoch: int):
    module = make_network().module
    module.train()
    freeze_backbone(module, schedule(), epoch)
    before = {name: value.clone() for name, value in module.named_buffers()}
    module(torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    moved = {name for name, value in module.named_buffers() if not torch.equal(value, before[name])}
    learning = {
        name
        for name, layer in module.named_modules()
        if hasattr(layer, "running_mean") and all(each.requires_grad for each in layer.parameters(recurse=False))
    }
    assert {name.rpartition(".")[0] for name in moved} == learning
    assert bool(learning) == (epoch > 0)


def test_behind_the_schedule_everything_learns_where_it_is_to():
    module = make_network().module
    freeze_backbone(module, schedule(final_fraction=1.0), 0)
    module.train()
    freeze_backbone(module, schedule(final_fraction=1.0), 5)
    assert all(parameter.requires_grad for parameter in module.parameters())
    assert all(layer.training for layer in module.modules())
