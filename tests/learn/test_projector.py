"""The projector learns beside the student, and the student is the same network without it."""

import pytest
import torch
from timm.optim._optim_factory import create_optimizer_v2
from torch import nn

from fieldguide.learn.projector import ProjectedStudent
from tests.learn.making import make_network

IMAGES = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
DIMS = {"global": 7, "regional": 4}


def test_logits_come_first_and_are_those_of_the_network():
    network = make_network(architecture_args={})
    student = ProjectedStudent(network.module, DIMS, 17).eval()
    with torch.inference_mode():
        outputs = student(IMAGES)
        assert outputs.shape == (3, network.spec.num_outputs + 11)
        torch.testing.assert_close(outputs[:, : network.spec.num_outputs], network.module(IMAGES))


def test_the_seed_decides_the_first_projectors_and_nothing_else_is_drawn():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, same, other = (ProjectedStudent(make_network().module, DIMS, seed) for seed in (17, 17, 18))
    assert torch.equal(torch.get_rng_state(), before)
    weights = [student.projectors[0].weight for student in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("architecture", ["mobilenetv2_035", "vit_tiny_patch16_224"])
def test_layers_decay_as_without_projectors(architecture: str):
    args = {"img_size": 32} if architecture.startswith("vit") else {}
    module = make_network(architecture=architecture, architecture_args=args).module

    def describe(trained: nn.Module, prefix: str) -> dict[str, tuple[float, float]]:
        optimizer = create_optimizer_v2(trained, opt="adamw", lr=1.0, weight_decay=0.1, layer_decay=0.5)
        names = {id(parameter): name.removeprefix(prefix) for name, parameter in trained.named_parameters()}
        return {
            names[id(parameter)]: (group["lr_scale"], group["weight_decay"])
            for group in optimizer.param_groups
            for parameter in group["params"]
        }

    alone, projected = describe(module, ""), describe(ProjectedStudent(module, DIMS, 17), "network.")
    assert {name: projected[name] for name in alone} == alone
    assert projected["projectors.0.weight"] == (1.0, 0.1)
    assert projected["projectors.0.bias"] == (1.0, 0.0)
