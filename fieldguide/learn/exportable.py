"""The same network in fewer and plainer operators, as it is exported."""

from typing import Any, cast

import torch
from timm.utils.model import reparameterize_model
from torch import Tensor, nn


def simplify(module: nn.Module) -> nn.Module:
    """`module` in evaluation mode, with the same answers but for rounding; it may be changed itself.

    Branches that only training needs become one convolution each (RepVGG, MobileOne: a fifth of the operators).
    Attention is written out, since the exporter folds heads into the batch around the fused one. A mean over all pixels
    says so, since the pooling layer that promises one becomes a gather for some layouts in memory.
    """
    module = reparameterize_model(module.eval(), inplace=True)
    for layer in list(module.modules()):
        if getattr(layer, "fused_attn", False) is True:
            cast(Any, layer).fused_attn = False
        for name, child in layer.named_children():
            if isinstance(child, nn.AdaptiveAvgPool2d) and child.output_size in (1, (1, 1)):
                setattr(layer, name, _MeanOfPixels())
    return module


class _MeanOfPixels(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] -> [batch, channels, 1, 1]."""
        return torch.mean(x, (2, 3), keepdim=True)
