"""Attention is rolled out as the paper says, adds up to one, and leaves masked padding alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fieldguide.engine import run_isolated
from fieldguide.learn.attention import can_be_rolled_out, look_at_padding, roll_out
from fieldguide.learn.padding import MaskedVisionTransformer, hide_padding
from fieldguide.records.reader import RecordSet
from fieldguide.records.writer import write_records
from tests.learn.making import make_network
from tests.learn.test_padding import KINDS, SMALL, masking
from tests.records.making import ENGINE, TAXONOMY, make_resized

BOX = torch.tensor([[0, 8, 32, 24]])


def roll_out_slowly(module: MaskedVisionTransformer, inputs: torch.Tensor) -> np.ndarray:
    """Layer by layer from queries and keys, in float64, with nothing of the code under test."""
    hidden = inputs[:, :1].isnan()
    keys_seen = module.find_seen(hidden)[0]
    x = module.norm_pre(module._pos_embed(module.patch_embed(inputs.masked_fill(hidden, 0.0))))
    flow = np.eye(x.shape[1])
    for block in module.blocks:
        attention = block.attn
        query, key, _ = attention.qkv(block.norm1(x)).reshape(x.shape[1], 3, attention.num_heads, -1).unbind(1)
        scores = torch.einsum("qhd,khd->hqk", query, key).double() * attention.scale
        scores[:, :, ~keys_seen] = -torch.inf
        flow = (0.5 * scores.softmax(-1).mean(0).numpy() + 0.5 * np.eye(len(flow))) @ flow
        x = block(x, attn_mask=keys_seen[None, None, None])
    prefix = module.num_prefix_tokens
    asking = [0] if module.global_pool == "token" else [n for n in range(prefix, len(flow)) if keys_seen[n]]
    row = flow[asking].mean(0)[prefix:]
    return (row / row.sum()).reshape(4, 4)


@pytest.mark.parametrize("kind", KINDS)
def test_is_the_product_of_the_layers(kind: dict[str, object]) -> None:
    module = masking(kind).module.eval()
    assert can_be_rolled_out(module)
    inputs = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        for shown in (inputs, hide_padding(inputs.clone(), BOX)):
            before = module(shown)
            found = roll_out(module, shown)[0]
            np.testing.assert_allclose(found, roll_out_slowly(module, shown), atol=1e-5)
            assert float(found.sum()) == pytest.approx(1, abs=1e-5)
            assert torch.equal(module(shown), before)
    assert (found[[0, 3]] == 0).all()
    assert all(block.attn.fused_attn for block in module.blocks)


@pytest.fixture(scope="module")
def padded(tmp_path_factory: pytest.TempPathFactory) -> RecordSet:
    """Photos with four rows of padding above and below."""
    resized = make_resized(tmp_path_factory.mktemp("resize"), {"test": 20})
    out = tmp_path_factory.mktemp("tfrecord")
    run_isolated(write_records, resized, TAXONOMY, out, records_per_shard=20, salt="salt", engine=ENGINE)
    return RecordSet.open(out, "test")


@pytest.mark.parametrize("mask_padding", [True, False])
def test_looks_at_the_padding_of_photos(padded: RecordSet, mask_padding: bool) -> None:
    network = masking({"patch_size": 4}, mask_padding=mask_padding)
    network.module.eval()
    kind = type(network.module)
    looks = look_at_padding(network, padded, 18)
    assert looks is not None
    assert looks.images.shape == (18, 32, 32, 3)
    assert looks.unmasked.shape == looks.masked.shape == looks.is_padding.shape == (18, 8, 8)
    assert (looks.is_padding == np.isin(np.arange(8), (0, 7))[None, :, None]).all()
    assert looks.on_padding(looks.masked) == 0
    assert 0.05 < looks.on_padding(looks.unmasked) < 0.95
    np.testing.assert_allclose(looks.unmasked.sum(axis=(1, 2)), 1, atol=1e-5)
    assert type(network.module) is kind


def test_some_networks_and_photos_have_no_such_attention(padded: RecordSet, tmp_path: Path) -> None:
    assert look_at_padding(make_network(), padded, 4) is None
    assert look_at_padding(masking({"patch_size": 4}), padded, 0) is None
    # Patches of 8 px hold some of the photo everywhere.
    assert look_at_padding(masking({}), padded, 4) is None
    pooled = make_network(architecture="vit_tiny_patch16_224", architecture_args=SMALL | {"global_pool": "max"})
    assert not can_be_rolled_out(pooled.module)
