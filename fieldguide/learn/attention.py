"""What a plain vision transformer looks at, and how much of that is the padding around a photo.

Attention is rolled out over the layers (Abnar and Zuidema, Quantifying Attention Flow in Transformers, ACL 2020): the
mean of a layer's heads, with the half that the residual connection carries past it, times those of the layers below.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from timm.layers.attention import Attention
from timm.models.vision_transformer import Block, ResPostBlock
from torch import Tensor, nn

from fieldguide.images.geometry import Box
from fieldguide.learn.dataset import PhotoDataset, chunk_keys, make_input
from fieldguide.learn.network import Network
from fieldguide.learn.padding import POOLS, MaskedVisionTransformer, hide_padding, is_plain
from fieldguide.records.pixels import read_size
from fieldguide.records.reader import RecordSet
from fieldguide.records.torch.part import Part
from fieldguide.records.torch.valid_box import follow_box

BATCH_SIZE = 16
"""Photos at once: each layer's attention of all of them is in memory."""


@dataclass(frozen=True)
class PaddingLooks:
    """What a network looks at in n photos that have patches of nothing but padding."""

    images: np.ndarray
    """uint8 [n, S, S, 3]"""
    is_padding: np.ndarray
    """bool [n, rows, columns]: which patches are padding alone."""
    unmasked: np.ndarray
    """float32 [n, rows, columns]: a patch's share of the attention where padding is not masked; the sum is 1."""
    masked: np.ndarray
    """Likewise, where it is."""

    def on_padding(self, maps: np.ndarray) -> float:
        """The share of the attention of `maps` [n, rows, columns] that is on padding, the mean of all photos."""
        return float(np.where(self.is_padding, maps, 0).sum(axis=(1, 2)).mean())


def can_be_rolled_out(module: nn.Module) -> bool:
    """Whether it is a plain vision transformer whose layers have one attention each, with weights that can be had."""
    found: Any = module
    return (
        is_plain(module)
        and found.global_pool in POOLS
        and all(isinstance(block, Block | ResPostBlock) and type(block.attn) is Attention for block in found.blocks)
    )


def roll_out(module: MaskedVisionTransformer, inputs: Tensor) -> Tensor:
    """The share of its attention that each patch gets: [batch, rows, columns], with a sum of 1 for each input.

    It is that of the token which the classifier sees, or the mean of those tokens. `inputs` float32 [batch, 3, S, S],
    NaN where padding is masked; the module is in evaluation mode.
    """
    flows: list[Tensor] = []

    def note(_: nn.Module, args: tuple[Tensor]) -> None:
        heads = args[0].mean(dim=1)
        layer = (heads + torch.eye(heads.shape[1], device=heads.device)) / 2
        flows[:] = [layer @ flows[0] if flows else layer]

    layers: list[Any] = [block.attn for block in module.blocks]
    was_fused = [layer.fused_attn for layer in layers]
    with ExitStack() as stack:
        for layer in layers:
            # The fused kernel keeps its weights to itself; the other way hands them to dropout.
            layer.fused_attn = False
            stack.callback(layer.attn_drop.register_forward_pre_hook(note).remove)
        try:
            module(inputs)
        finally:
            for layer, fused in zip(layers, was_fused, strict=True):
                layer.fused_attn = fused
    [flow] = flows
    is_seen = module.find_seen(inputs[:, :1].isnan()).to(flow.dtype)
    first = 0 if module.pool_include_prefix else module.num_prefix_tokens
    asks = torch.zeros_like(is_seen)
    if module.global_pool == "token":
        asks[:, 0] = 1
    else:
        asks[:, first:] = is_seen[:, first:]
    on_patches = torch.einsum("bi,bij->bj", asks, flow)[:, module.num_prefix_tokens :]
    shares = on_patches / on_patches.sum(dim=1, keepdim=True)
    return shares.unflatten(1, module.patch_embed.dynamic_feat_size((inputs.shape[2], inputs.shape[3])))


def look_at_padding(network: Network, records: RecordSet, num: int) -> PaddingLooks | None:
    """What `network` looks at in the first `num` photos of `records` that have patches of padding alone.

    Records lie in a random order already. None where attention cannot be rolled out or no photo is padded.
    """
    if not num or not can_be_rolled_out(network.module):
        return None
    module: Any = copy(network.module)
    # The same weights; where nothing is NaN it answers as it is.
    module.__class__ = MaskedVisionTransformer
    spec, device = network.spec.model_copy(update={"mask_padding": True}), next(module.parameters()).device
    dataset = PhotoDataset(records, spec)
    chosen = [index for index, _ in zip(_find_padded(records, spec.image_size, module), range(num), strict=False)]
    parts = []
    with torch.inference_mode():
        for keys in chunk_keys(chosen, BATCH_SIZE):
            images, _, _, boxes = dataset.load(keys)
            assert boxes is not None
            unmasked = make_input(images, None, spec, device)
            masked = hide_padding(unmasked.clone(), boxes)
            is_padding = ~module.find_seen(masked[:, :1].isnan())[:, module.num_prefix_tokens :]
            maps = [roll_out(module, inputs) for inputs in (unmasked, masked)]
            parts.append((images.permute(0, 2, 3, 1), is_padding.view(maps[0].shape), *maps))
    if not parts:
        return None
    return PaddingLooks(*(torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True)))


def _find_padded(records: RecordSet, side: int, module: Any) -> Iterator[int]:
    height, width = module.patch_embed.patch_size
    for index in range(len(records)):
        photo = records.read_photo(index)
        assert photo.box is not None
        left, top, right, bottom = _box_at(photo.box, read_size(photo.image), side)
        if left >= width or top >= height or right <= side - width or bottom <= side - height:
            yield index


def _box_at(box: Box, size: tuple[int, int], side: int) -> Box:
    return follow_box(box, Part(0, 0, *size), [(side, side)])
