"""A crop is drawn number for number as torchvision draws it; a part of a part is counted in the photo's pixels."""

import numpy as np
import pytest
import torch
from torchvision.transforms import RandomResizedCrop, v2

from fieldguide.records.torch.part import Part, draw_crop

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)


@pytest.mark.parametrize("size", [(256, 256), (40, 30), (7, 500), (500, 7), (1, 1)])
@pytest.mark.parametrize(
    ("scale", "ratio"), [((0.08, 1.0), (3 / 4, 4 / 3)), ([0.5, 0.9], [1.0, 1.0]), ((1.0, 1.0), (2.0, 3.0))]
)
def test_draws_what_torchvision_draws(
    size: tuple[int, int], scale: tuple[float, float], ratio: tuple[float, float]
) -> None:
    image = torch.empty(3, *size, dtype=torch.uint8)
    classes = v2.RandomResizedCrop(8, scale=scale, ratio=ratio)
    for seed in range(50):
        torch.manual_seed(seed)
        expected, following = RandomResizedCrop.get_params(image, list(scale), list(ratio)), torch.rand(1)
        torch.manual_seed(seed)
        assert draw_crop(*size, scale, ratio) == expected
        assert torch.equal(torch.rand(1), following)
        torch.manual_seed(seed)
        assert tuple(classes.make_params([image]).values()) == expected


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("upside_down", [False, True])
def test_takes_a_part_of_a_turned_photo(mirrored: bool, upside_down: bool):
    part = Part(0, 0, 40, 30, mirrored, upside_down)
    part.narrow(4, 3, 20, 10)
    part.narrow(1, 2, 9, 5)
    turned = PIXELS[:: -1 if upside_down else 1, :: -1 if mirrored else 1]
    taken = part.take(PIXELS, 1)
    assert taken.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(taken[0].permute(1, 2, 0).numpy(), turned[5:14, 5:10])
