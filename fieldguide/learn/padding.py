"""Padding that a plain vision transformer does not look at.

In a network's input a pixel of padding is NaN: so what belongs to the photo travels with the image through mixing,
precision and any number of modules, and no signature changes. A MaskedVisionTransformer shows its patches the mean
colour there, hides patches that are padding alone from every token (He et al., Masked Autoencoders, 2022, leave patches
out likewise; here the grid stays), and takes them out of a mean over tokens. So no colour of the padding moves a logit.
"""

from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 (everybody's name for it)
from timm.layers.patch_embed import PatchEmbed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from fieldguide.errors import TrainingError

POOLS: Final = ("token", "avg")
"""How a network that masks may make one vector of its tokens."""


class MaskedVisionTransformer(VisionTransformer):
    """timm's, with the same weights under the same names; of an input without NaN it says what timm's says."""

    def forward_features(self, x: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
        """Tokens [batch, num_tokens, dim] of inputs [batch, 3, S, S]; those of padding are NaN."""
        assert attn_mask is None
        hidden = x[:, :1].isnan()
        is_seen = self.find_seen(hidden)
        tokens: Tensor = super().forward_features(x.masked_fill(hidden, 0.0), attn_mask=is_seen[:, None, None])
        return tokens.masked_fill(~is_seen[..., None], float("nan"))

    def pool(self, x: Tensor, pool_type: str | None = None) -> Tensor:
        """One vector a photo, [batch, dim]: the class token, or the mean of all tokens that are seen."""
        if (pool_type or self.global_pool) != "avg":
            pooled: Tensor = super().pool(x, pool_type)
            return pooled
        tokens = x if self.pool_include_prefix else x[:, self.num_prefix_tokens :]
        hidden = tokens.isnan()
        return tokens.masked_fill(hidden, 0.0).sum(dim=1) / (~hidden).sum(dim=1)

    def find_seen(self, hidden: Tensor) -> Tensor:
        """Which tokens are attended to, bool [batch, num_tokens], by pixels of padding, bool [batch, 1, S, S].

        An image of nothing but padding (a crop may be one) is seen whole, as a plain colour: a softmax over nothing
        would be no number.
        """
        size, ceil = self.patch_embed.patch_size, self.patch_embed.dynamic_img_pad
        patches = F.max_pool2d((~hidden).float(), size, size, ceil_mode=ceil).flatten(1) > 0
        patches = patches | ~patches.any(dim=1, keepdim=True)
        return F.pad(patches, (self.num_prefix_tokens, 0), value=True)


def is_plain(module: nn.Module) -> bool:
    """Whether it is a vision transformer over patches of the image itself, one token for each of them."""
    return (
        isinstance(module, VisionTransformer)
        and type(module) in (VisionTransformer, MaskedVisionTransformer)
        and type(module.patch_embed) is PatchEmbed
        and isinstance(module.patch_drop, nn.Identity)
    )


def mask_padding(module: nn.Module, architecture: str) -> None:
    """Make `module` a MaskedVisionTransformer, in place. Raises TrainingError where it is no plain one."""
    found: Any = module
    if not is_plain(module) or found.global_pool not in POOLS:
        kind = f"global_pool {found.global_pool}" if is_plain(module) else type(module).__name__
        raise TrainingError(
            f"mask_padding is true, but {architecture} ({kind}) cannot mask; expected a plain vision transformer of "
            f"timm (vit_* or deit_*, with global_pool {' or '.join(POOLS)}, without a convolutional stem, a "
            "distillation token or patch_drop_rate), or false"
        )
    # Its modules and weights stay as they are, and so do the names that weights are loaded and saved by.
    module.__class__ = MaskedVisionTransformer


def hide_padding(inputs: Tensor, boxes: Tensor) -> Tensor:
    """`inputs` float32 [batch, 3, S, S], NaN outside of `boxes` int64 [batch, 4] (left, top, right, bottom), in place.

    The order of the box is that of fieldguide.images.geometry.Box.
    """
    left, top, right, bottom = boxes.to(inputs.device)[:, :, None].unbind(dim=1)
    rows, columns = (torch.arange(side, device=inputs.device) for side in inputs.shape[2:])
    is_row, is_column = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
    return inputs.masked_fill_(~(is_row[:, None, :, None] & is_column[:, None, None, :]), float("nan"))
