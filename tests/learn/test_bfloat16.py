"""Training in bfloat16 on a processor: what is computed in which precision, and that it stays the same network."""

from copy import deepcopy
from typing import Any

import pytest
import timm
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from fieldguide.learn import bfloat16
from fieldguide.learn.bfloat16 import is_slow, suit_processor

SIDE = 64
NUM_CLASSES = 3
ATTENTION = "_scaled_dot_product"


class Calls(TorchDispatchMode):
    """What torch is asked to compute."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.convolutions: set[tuple[str, int, torch.dtype]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(func.name())
        if func is torch.ops.aten.convolution.default:
            inputs, weight, _, stride, *_ = args
            depthwise = "depthwise" if weight.shape[1] == 1 else "full"
            self.convolutions.add((f"{depthwise} {weight.shape[2]}", stride[0], inputs.dtype))
        return func(*args, **(kwargs or {}))


def on_processor(precision: Any = "bf16-mixed") -> Fabric:
    return Fabric(accelerator="cpu", devices=1, precision=precision, plugins=[LightningEnvironment()])


def make(name: str, fabric: Fabric, *, suited: bool = True, **args: Any) -> tuple[nn.Module, Any]:
    """A network as it is trained, alone and as Fabric wraps it."""
    torch.manual_seed(1)
    module: nn.Module = timm.create_model(name, num_classes=NUM_CLASSES, **args).train()
    if suited:
        suit_processor(module, fabric)
    return module, fabric.setup_module(module)


def images() -> Tensor:
    return torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(2)) * 2 - 1


def flat_gradient(module: nn.Module) -> Tensor:
    return torch.cat([each.grad.flatten() for each in module.parameters() if each.grad is not None])


@pytest.mark.parametrize("name", ["mobilenetv2_100", "mobilenetv3_small_050"])
def test_depthwise_convolutions_are_computed_in_float32_where_bfloat16_is_slow(name: str):
    _, wrapped = make(name, on_processor())
    with Calls() as calls:
        wrapped(images())
    kinds = {kind for kind, _, _ in calls.convolutions}
    assert {"depthwise 3", "full 1", "full 3"} <= kinds
    for kind, stride, dtype in calls.convolutions:
        is_slow = kind.startswith("depthwise") and (kind, stride) != ("depthwise 3", 1)
        assert dtype == (torch.float32 if is_slow else torch.bfloat16), (kind, stride)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"kernel_size": 1}, False),
        ({"kernel_size": 1, "stride": 2}, True),
        ({"kernel_size": 3, "padding": 1}, False),
        ({"kernel_size": 3}, False),
        ({"kernel_size": 3, "padding": 2}, True),
        ({"kernel_size": 3, "padding": "same"}, True),
        ({"kernel_size": 3, "padding": 2, "dilation": 2}, True),
        ({"kernel_size": 3, "padding": 1, "stride": 2}, True),
        ({"kernel_size": 5, "padding": 2}, True),
        ({"kernel_size": 5, "padding": 2, "groups": 2}, False),
        ({"kernel_size": 5, "padding": 2, "groups": 1}, False),
    ],
)
def test_slow_are_depthwise_convolutions_that_are_not_the_usual_ones(options: dict[str, Any], expected: bool):
    assert is_slow(nn.Conv2d(8, 8, **{"groups": 8, **options})) == expected


@pytest.mark.parametrize(
    ("name", "args"), [("mobilenetv2_100", {}), ("vit_tiny_patch16_224", {"img_size": SIDE, "depth": 3})]
)
def test_it_is_the_same_network_with_the_same_gradients(name: str, args: dict[str, Any]):
    gradients = {}
    for precision, suited in (("32-true", False), ("bf16-mixed", False), ("bf16-mixed", True)):
        fabric = on_processor(precision)
        module, wrapped = make(name, fabric, suited=suited, **args)
        for each in module.modules():
            # By the statistics of a few photos at their first weights gradients are mostly noise, in float32, too.
            each.train(not isinstance(each, nn.BatchNorm2d))
        loss = cross_entropy(wrapped(images()).float(), torch.arange(4) % NUM_CLASSES)
        fabric.backward(loss)
        gradients[precision, suited] = flat_gradient(module)
        plain = timm.create_model(name, num_classes=NUM_CLASSES, **args)
        assert list(module.state_dict()) == list(plain.state_dict())
    exact = gradients["32-true", False]
    plain_error, suited_error = (float((gradients["bf16-mixed", suited] - exact).norm()) for suited in (False, True))
    assert suited_error < 1.2 * plain_error < 0.6 * float(exact.norm())


@pytest.mark.parametrize(
    ("training", "most", "is_fused"), [(True, 2**25, False), (True, 4 * 3 * 17**2 - 1, True), (False, 2**25, True)]
)
def test_attention_is_fused_where_nothing_is_learnt_or_it_would_take_much_memory(
    monkeypatch: pytest.MonkeyPatch, training: bool, most: int, is_fused: bool
):
    monkeypatch.setattr(bfloat16, "MOST_ATTENTION_NUMBERS", most)
    module, wrapped = make("vit_tiny_patch16_224", on_processor(), img_size=SIDE, depth=1)
    module.train(training)
    with Calls() as calls:
        wrapped(images())
    assert any(ATTENTION in name for name in calls.names) == is_fused
    # What others said about it before stays said.
    attention: Any = module.get_submodule("blocks.0.attn")
    assert attention.fused_attn
    attention.fused_attn = False
    with Calls() as calls:
        wrapped(images())
    assert not any(ATTENTION in name for name in calls.names)


def test_in_float32_nothing_changes():
    module, _ = make("mobilenetv2_100", on_processor("32-true"))
    plain, _ = make("mobilenetv2_100", on_processor("32-true"), suited=False)
    assert [type(each) for each in module.modules()] == [type(each) for each in plain.modules()]


def test_layers_of_a_kind_share_a_class_and_can_be_copied():
    module, _ = make("mobilenetv2_100", on_processor())
    changed = {type(each) for each in module.modules() if "InFloat32" in type(each).__name__}
    assert len(changed) == 1
    copied = deepcopy(module).eval()
    torch.testing.assert_close(copied(images()), module.eval()(images()))


def test_a_network_that_is_suited_twice_is_suited_once():
    module, wrapped = make("mobilenetv2_100", on_processor())
    classes = [type(each) for each in module.modules()]
    suit_processor(module, on_processor())
    assert [type(each) for each in module.modules()] == classes
    assert wrapped(images()).isfinite().all()
