"""A network that is trained in bfloat16 on a processor, without what processors do slower in it than in float32.

Autocast gives every convolution bfloat16. Backward through depthwise ones, oneDNN has fast code in bfloat16 for the
usual 1 x 1 and 3 x 3 at stride 1; all others fall back on its reference, three to ten times as slow as float32.
PyTorch's fused attention is slow backward, and its clamp in place is slower than one that makes a new tensor.
`python -m benchmarks.bfloat16` measures all three; docs/peers.md has the numbers.
"""

from functools import cache
from typing import Any

import torch
from lightning_fabric import Fabric
from timm.layers.attention import Attention
from torch import Tensor, nn

MOST_ATTENTION_NUMBERS = 2**25
"""Of a layer, for a batch: above it attention stays fused, or memory would grow with the square of the tokens. Backward
needs two bytes more for each, so at most 64 MiB a layer."""

FAST_DEPTHWISE = {((1, 1), (0, 0)), ((3, 3), (0, 0)), ((3, 3), (1, 1))}
"""Kernel and padding, at stride 1 without dilation."""


def suit_processor(module: nn.Module, fabric: Fabric) -> None:
    """Change `module` in place, where `fabric` trains in bfloat16 on a processor; weights and their names stay."""
    if fabric.device.type != "cpu" or fabric.strategy.precision.precision != "bf16-mixed":
        return
    for each in list(module.modules()):
        if isinstance(each, nn.Conv2d) and is_slow(each):
            _become(each, _InFloat32)
        elif isinstance(each, Attention):
            _become(each, _FusedWhereLarge)
        elif getattr(each, "inplace", False):
            each.inplace = False  # type: ignore[assignment]


def is_slow(convolution: nn.Conv2d) -> bool:
    """Whether backward takes longer in bfloat16 than in float32: depthwise, and none that has fast code."""
    is_depthwise = convolution.groups == convolution.in_channels > 1
    is_usual = (
        convolution.stride == (1, 1)
        and convolution.dilation == (1, 1)
        and (convolution.kernel_size, convolution.padding) in FAST_DEPTHWISE
    )
    return is_depthwise and not is_usual


class _InFloat32:
    """A layer that computes in float32 and answers in the precision that it was asked in."""

    def forward(self, inputs: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            outputs: Tensor = super().forward(inputs.float())  # type: ignore[misc]
        return outputs.to(inputs.dtype)


class _FusedWhereLarge:
    """Attention in single steps as long as its matrices are small: in training, that is, where backward follows."""

    fused_attn: bool
    num_heads: int
    training: bool

    def forward(self, x: Tensor, *args: Any, **options: Any) -> Tensor:
        batch, num_tokens, _ = x.shape
        is_small = batch * self.num_heads * num_tokens**2 <= MOST_ATTENTION_NUMBERS
        fused = self.fused_attn
        self.fused_attn = fused and not (self.training and is_small)
        try:
            attended: Tensor = super().forward(x, *args, **options)  # type: ignore[misc]
        finally:
            self.fused_attn = fused
        return attended


def _become(module: nn.Module, behaviour: type) -> None:
    """Put `behaviour` over the module's own class."""
    if not isinstance(module, behaviour):
        own: Any = type(module)
        module.__class__ = _laid_over(own, behaviour)


@cache
def _laid_over(own: Any, behaviour: Any) -> Any:
    return type(f"{own.__name__}{behaviour.__name__}", (behaviour, own), {})
