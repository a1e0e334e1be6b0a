"""A rectangle is erased, as drawn."""

import numpy as np
import pytest
import torch
from PIL import Image

from fieldguide.records.torch.augmentation import Augmentation
from fieldguide.records.torch.erasing import RandomErasing
from fieldguide.records.torch.randomness import drawn_from

GREY = Image.new("RGB", (60, 40), (9, 9, 9))


def erased_part(image: Image.Image) -> np.ndarray:
    """Where it is other than `GREY`: bool [height, width]."""
    return (np.asarray(image) != np.asarray(GREY)).any(axis=2)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("fill", [None, [255, 0, 0]])
def test_one_rectangle_of_an_area_within_bounds(seed: int, fill: list[int] | None):
    torch.manual_seed(seed)
    found = RandomErasing(p=1.0, scale=(0.1, 0.3), ratio=(0.5, 2.0), fill=fill)(GREY)
    rows, columns = np.nonzero(erased_part(found))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert 0.08 < height * width / 2400 < 0.33
    assert 0.4 < width / height < 2.4
    if fill:
        assert len(rows) == height * width
        assert set(map(tuple, np.asarray(found)[rows, columns].tolist())) == {tuple(fill)}


def test_it_may_be_as_long_as_the_photo():
    torch.manual_seed(0)
    assert erased_part(RandomErasing(p=1.0, scale=(0.9, 0.9), ratio=(9.0, 9.0), fill=[0, 0, 0])(GREY)).any(axis=0).all()


def test_share_of_the_photos():
    torch.manual_seed(0)
    erase = RandomErasing(p=0.25)
    assert sum(erase(GREY) is not GREY for _ in range(400)) / 400 == pytest.approx(0.25, abs=0.06)


def test_what_is_drawn_depends_on_nothing_but_the_seed():
    step = Augmentation([RandomErasing(p=1.0)])
    assert step.draws_from_torch_alone
    with drawn_from(17, 3, "photo", torch_alone=True):
        first = step(GREY)
    torch.rand(7)
    with drawn_from(17, 3, "photo", torch_alone=True):
        assert np.array_equal(np.asarray(step(GREY)), np.asarray(first))
