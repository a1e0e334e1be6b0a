"""The fast way draws what the listed classes draw, and differs from them on Pillow images by no more than it says."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data.transforms import RandomResizedCropAndInterpolation
from torchvision.transforms import InterpolationMode, v2

from fieldguide.records.torch.augmentation import Augmentation, RandomCrop, resize, show_whole
from fieldguide.records.torch.randomness import drawn_from

RANDOM = np.random.default_rng(0)
NOISE = Image.fromarray(RANDOM.integers(0, 256, (96, 80, 3), np.uint8))
SMOOTH = Image.fromarray(RANDOM.integers(0, 256, (12, 10, 3), np.uint8)).resize((80, 96), Image.Resampling.BICUBIC)
FLIP, TOPPLE = v2.RandomHorizontalFlip(0.5), v2.RandomVerticalFlip(0.5)
CROP = RandomCrop((0.3, 1.0), (0.75, 1.33))
SIZED = v2.RandomResizedCrop(48, scale=(0.2, 1.0), interpolation=InterpolationMode.BICUBIC)
LINEAR = v2.RandomResizedCrop((40, 48), scale=(0.2, 1.0))
ROTATION = v2.RandomRotation(25, interpolation=InterpolationMode.BILINEAR)
JITTER = v2.ColorJitter(brightness=0.3, hue=0.1)


def encode(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=95, subsampling=0)
    return stream.getvalue()


def show(augmentation: Augmentation, content: bytes, side: int) -> torch.Tensor:
    """uint8 [3, side, side]"""
    out = torch.empty(1, side, side, 3, dtype=torch.uint8).permute(0, 3, 1, 2)
    augmentation.show(content, augmentation.draw(content), out)
    return out[0]


def compare(steps: list[Any], image: Image.Image, side: int, draws: int = 20) -> np.ndarray:
    """Differences from the steps one by one and Pillow's resizing: int [draws, side, side, 3]."""
    augmentation = Augmentation(steps)
    content = encode(image)
    decoded = Image.open(io.BytesIO(content)).convert("RGB")
    differences = []
    for draw in range(draws):
        with drawn_from(1, draw):
            expected = augmentation(decoded)
            following = torch.rand(1)
        with drawn_from(1, draw, torch_alone=augmentation.draws_from_torch_alone):
            found = show(augmentation, content, side)
            assert torch.equal(torch.rand(1), following)
        assert found.shape == (3, side, side)
        if expected.size != (side, side):
            expected = expected.resize((side, side), Image.Resampling.BICUBIC)
        differences.append(found.permute(1, 2, 0).numpy().astype(int) - np.asarray(expected, int))
    return np.abs(np.stack(differences))


@pytest.mark.parametrize("image", [NOISE, SMOOTH], ids=["noise", "smooth"])
@pytest.mark.parametrize(
    "steps",
    [
        [SIZED],
        [CROP],
        [FLIP, TOPPLE, CROP],
        [CROP, FLIP],
        [v2.Compose([FLIP, CROP, TOPPLE, CROP])],
        [FLIP, SIZED, TOPPLE],
        [LINEAR],
        [FLIP, JITTER, CROP],
        [CROP, FLIP, JITTER],
        [SIZED, JITTER],
        [FLIP, ROTATION, CROP, JITTER],
        [RandomResizedCropAndInterpolation(48, scale=(0.2, 1.0), interpolation="bicubic"), FLIP],
        [v2.RandomApply([JITTER], p=0.5), SIZED],
    ],
)
def test_differs_from_pillow_by_little(steps: list[Any], image: Image.Image):
    differences = compare(steps, image, 48)
    # White noise overshoots everywhere, a turned photo at its new edges; and one level before a jitter may be a few
    # behind it, where a hue turns.
    is_calm = image is SMOOTH and steps != [SIZED, JITTER] and ROTATION not in steps
    assert differences.max() <= (2 if is_calm else 40)
    assert (differences > 2).mean() < 0.01
    assert differences.mean() < 0.15


def test_without_resizing_nothing_differs():
    for steps in ([FLIP, TOPPLE], [FLIP, JITTER], [v2.RandomRotation(25)]):
        square = NOISE.crop((0, 0, 80, 80))
        assert compare(steps, square, 80).max() == 0


def test_a_shrunk_photo_looks_the_same():
    large = SMOOTH.resize((960, 1152), Image.Resampling.BICUBIC)
    differences = compare([RandomCrop((0.8, 1.0), (0.9, 1.1)), FLIP], large, 96, draws=6)
    assert differences.mean() < 1.5
    assert np.quantile(differences, 0.99) <= 8


def test_seeds_pythons_generator_only_where_it_is_drawn_from():
    assert Augmentation([FLIP, CROP, SIZED, v2.RandomApply([JITTER])]).draws_from_torch_alone
    assert not Augmentation([RandomResizedCropAndInterpolation(48)]).draws_from_torch_alone
    assert not Augmentation([v2.RandomChoice([FLIP, RandomResizedCropAndInterpolation(48)])]).draws_from_torch_alone
    assert not Augmentation([lambda image: image]).draws_from_torch_alone


def test_the_whole_photo_is_pillows_to_the_bit():
    content = encode(NOISE)
    decoded = Image.open(io.BytesIO(content)).convert("RGB")
    for size in ((96, 80), (64, 64)):
        out = torch.zeros(*size, 3, dtype=torch.uint8)
        show_whole(content, out)
        expected = decoded.resize(size[::-1], Image.Resampling.BICUBIC)
        assert np.array_equal(out.numpy(), np.asarray(expected))


@pytest.mark.parametrize("size", [(1, 1), (7, 200), (96, 80)])
def test_any_size_can_be_resized_to_any(size: tuple[int, int]):
    pixels = torch.from_numpy(np.array(NOISE)).permute(2, 0, 1)[None]
    expected = np.asarray(NOISE.resize(size[::-1], Image.Resampling.BICUBIC), int)
    assert np.abs(resize(pixels, size)[0].permute(1, 2, 0).numpy() - expected).max() <= 2
