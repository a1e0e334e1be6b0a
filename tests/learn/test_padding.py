"""A network that masks padding answers as if only the photo's patches were there."""

import copy
import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import v2

from fieldguide.errors import ParamsError, TrainingError
from fieldguide.images.geometry import Box
from fieldguide.learn.dataset import PhotoDataset, make_input
from fieldguide.learn.network import Network, extract_prelogits, load_network, save_network
from fieldguide.learn.padding import MaskedVisionTransformer, hide_padding
from fieldguide.learn.predict import call, run_batches
from fieldguide.records.skim import Photo
from fieldguide.records.torch.augmentation import Augmentation, RandomCrop
from tests.learn.making import make_network

SMALL = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 3}
BOXES: list[Box] = [(0, 8, 32, 24), (0, 11, 32, 20), (5, 0, 32, 32), (0, 0, 32, 32), (0, 0, 0, 0)]
KINDS: list[dict[str, Any]] = [
    {},
    {"global_pool": "avg"},
    {"global_pool": "avg", "class_token": False},
    {"reg_tokens": 2, "no_embed_class": True},
]


def masking(kind: dict[str, Any], **changes: Any) -> Network:
    """A small one of random weights, position embeddings and all."""
    args = {"architecture": "vit_tiny_patch16_224", "architecture_args": SMALL | kind, "mask_padding": True}
    network = make_network(**(args | changes))
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.module.parameters():
            parameter.normal_(0, 0.3)
    return network


class Colored:
    """Photos in lossless squares, the padding of one colour."""

    split = "test"
    photo_ids = tuple(str(number) for number in range(len(BOXES)))

    def __init__(self, color: int) -> None:
        self.color = color

    def __len__(self) -> int:
        return len(BOXES)

    def read_photo(self, index: int) -> Photo:
        pixels = np.full((32, 32, 3), self.color, np.uint8)
        left, top, right, bottom = BOXES[index]
        drawn = np.random.default_rng(index).integers(0, 256, (32, 32, 3), np.uint8)
        pixels[top:bottom, left:right] = drawn[top:bottom, left:right]
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        return Photo(str(index), stream.getvalue(), BOXES[index])


@pytest.mark.parametrize(("kind", "workers"), [*((kind, 0) for kind in KINDS), (KINDS[0], 2)])
def test_the_paddings_color_moves_no_logit(kind: dict[str, Any], workers: int) -> None:
    network = masking(kind)

    def answer(color: int) -> Tensor:
        dataset = PhotoDataset(Colored(color), network.spec)
        keys = [[(0, 0), (0, 1), (0, 2)], [(0, 3), (0, 4)]]
        return torch.cat(list(run_batches(network.module, dataset, keys, call, workers)))

    white = answer(255)
    assert white.isfinite().all()
    for color in (0, 128):
        assert torch.equal(answer(color), white)
    # It is the mask that does so.
    plain = masking(kind, mask_padding=False)
    dataset = PhotoDataset(Colored(0), plain.spec)
    [black] = run_batches(plain.module, dataset, [[(0, 0), (0, 1)]], call, 0)
    assert not torch.allclose(black, white[:2], atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fused", [True, False])
def test_hidden_patches_might_as_well_not_be_there(kind: dict[str, Any], fused: bool) -> None:
    """Against timm's network that is given the tokens of the photo's patches alone."""
    module = masking(kind).module.eval()
    plain = masking(kind, mask_padding=False).module.eval()
    for block in module.blocks:
        block.attn.fused_attn = fused
    images = torch.randn(2, 3, 32, 32)
    hidden = hide_padding(images.clone(), torch.tensor([[0, 8, 32, 24], [8, 0, 32, 32]]))
    prefix = list(range(plain.num_prefix_tokens))
    with torch.inference_mode():
        found, features = module(hidden), extract_prelogits(module, hidden)
        for row, patches in enumerate([range(4, 12), [place for place in range(16) if place % 4]]):
            kept = torch.tensor([*prefix, *(len(prefix) + place for place in patches)])
            only = copy.deepcopy(plain)
            only.patch_drop = Kept(kept)
            expected = only(images[row : row + 1])
            torch.testing.assert_close(found[row : row + 1], expected, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(only.head(features[row : row + 1]), expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(module(images), plain(images), rtol=1e-4, atol=1e-4)


class Kept(nn.Module):
    """Some tokens of all."""

    def __init__(self, places: Tensor) -> None:
        super().__init__()
        self.places = places

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens[:, self.places]


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_from_what_it_sees(kind: dict[str, Any]) -> None:
    module = masking(kind).module.train()
    inputs = hide_padding(torch.randn(5, 3, 32, 32), torch.tensor(BOXES))
    module(inputs).square().mean().backward()
    gradients = [parameter.grad for parameter in module.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    with torch.autocast("cpu", torch.bfloat16):
        assert module(inputs).isfinite().all()


def test_a_photo_is_answered_alike_beside_any_other() -> None:
    network = masking({})
    dataset = PhotoDataset(Colored(7), network.spec)
    images, _, _, boxes = dataset.load([(0, 0), (0, 3)])
    assert boxes is not None
    inputs = make_input(images, boxes, network.spec, torch.device("cpu"))
    assert inputs[0].isnan().any()
    assert not inputs[1].isnan().any()
    assert PhotoDataset(Colored(7), make_network().spec).load([(0, 0)])[3] is None


def test_it_is_saved_and_loaded(tmp_path: Any) -> None:
    network = masking({})
    save_network(network, tmp_path)
    loaded = load_network(tmp_path)
    assert type(loaded.module) is MaskedVisionTransformer
    assert loaded.spec.mask_padding
    inputs = hide_padding(torch.randn(5, 3, 32, 32), torch.tensor(BOXES))
    with torch.inference_mode():
        assert torch.equal(loaded.module(inputs), network.module.eval()(inputs))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"architecture": "mobilenetv2_035", "architecture_args": {}}, r"mobilenetv2_035 \(EfficientNet\)"),
        ({"architecture_args": SMALL | {"global_pool": "max"}}, r"vit_tiny_patch16_224 \(global_pool max\)"),
        ({"architecture_args": SMALL | {"patch_drop_rate": 0.1}}, r"vit_tiny_patch16_224 \(VisionTransformer\)"),
    ],
)
def test_other_networks_are_refused(changes: dict[str, Any], reason: str) -> None:
    args = {"architecture": "vit_tiny_patch16_224", "mask_padding": True}
    with pytest.raises(TrainingError, match=f"mask_padding is true, but {reason} cannot mask; expected a plain vision"):
        make_network(**(args | changes))


@pytest.mark.parametrize(
    "steps",
    [
        [v2.RandomRotation(30)],
        [v2.ColorJitter(0.5), v2.RandomHorizontalFlip()],
        [v2.RandomResizedCrop(32), RandomCrop((0.5, 1.0), (1.0, 1.0))],
        [v2.RandomResizedCrop(32, interpolation=v2.InterpolationMode.NEAREST)],
        [v2.RandomApply([v2.RandomRotation(30)])],
    ],
)
def test_augmentation_that_moves_pixels_in_other_ways_is_refused(steps: list[Any]) -> None:
    spec = masking({}).spec
    PhotoDataset(Colored(0), spec, Augmentation([v2.RandomHorizontalFlip(), v2.RandomApply([v2.ColorJitter(0.5)])]))
    with pytest.raises(ParamsError, match=r"transforms: \w+ stands where nobody knows any more where the padding is"):
        PhotoDataset(Colored(0), spec, Augmentation(steps))
    PhotoDataset(Colored(0), make_network().spec, Augmentation(steps))
