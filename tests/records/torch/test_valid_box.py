"""The photo's box follows crops, flips and resizing, and nothing inside it depends on the padding's colour."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from fieldguide.errors import RecordError
from fieldguide.images.geometry import Box
from fieldguide.records.skim import Photo
from fieldguide.records.torch.augmentation import Augmentation, RandomCrop
from fieldguide.records.torch.drawing import draw_photos
from fieldguide.records.torch.part import Part
from fieldguide.records.torch.valid_box import EMPTY, follow_box

SIDE = 64


@pytest.mark.parametrize(
    ("box", "part", "sizes", "expected"),
    [
        ((0, 8, 64, 56), Part(0, 0, 64, 64), [(64, 64)], (0, 8, 64, 56)),
        ((8, 0, 48, 64), Part(0, 0, 64, 64, mirrored=True), [(64, 64)], (16, 0, 56, 64)),
        ((0, 8, 64, 48), Part(0, 0, 64, 64, upside_down=True), [(64, 64)], (0, 16, 64, 56)),
        ((0, 8, 64, 56), Part(4, 10, 50, 40), [(50, 40)], (0, 4, 40, 50)),
        ((0, 8, 64, 56), Part(10, 10, 40, 40), [(32, 32)], (0, 0, 32, 32)),
        ((0, 16, 64, 48), Part(0, 0, 64, 64), [(32, 32)], (0, 11, 32, 21)),
        ((0, 16, 64, 48), Part(0, 0, 64, 64), [(128, 128)], (0, 37, 128, 91)),
        ((0, 16, 64, 48), Part(0, 0, 64, 64), [(32, 32), (64, 64)], (0, 27, 64, 37)),
        ((0, 16, 64, 48), Part(0, 0, 12, 64), [(64, 64)], EMPTY),
        ((0, 30, 64, 34), Part(0, 0, 64, 64), [(32, 32)], EMPTY),
    ],
)
def test_follows(box: Box, part: Part, sizes: list[tuple[int, int]], expected: Box) -> None:
    assert follow_box(box, part, sizes) == expected


class Squares:
    """One photo in a square whose padding has some colour."""

    split = "train"
    photo_ids = ("a",)

    def __init__(self, box: Box | None, color: int) -> None:
        pixels = np.full((SIDE, SIDE, 3), color, np.uint8)
        left, top, right, bottom = box or (0, 0, SIDE, SIDE)
        photo = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        pixels[top:bottom, left:right] = photo[top:bottom, left:right]
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        self.photo = Photo("a", stream.getvalue(), box)

    def __len__(self) -> int:
        return 1

    def read_photo(self, index: int) -> Photo:
        return self.photo


CROPS = Augmentation(
    [
        v2.RandomHorizontalFlip(),
        RandomCrop((0.1, 1.0), (0.5, 2.0)),
        v2.RandomVerticalFlip(),
        v2.RandomResizedCrop(48, interpolation=v2.InterpolationMode.BICUBIC),
    ]
)
COLORED = Augmentation([v2.RandomHorizontalFlip(), RandomCrop((0.5, 1.0), (0.8, 1.25)), v2.RandomInvert(0.5)])


@given(
    start=st.integers(0, 40),
    length=st.integers(1, 64),
    is_wide=st.booleans(),
    side=st.sampled_from([16, 48, 64, 80]),
    augmentation=st.sampled_from([None, CROPS, COLORED]),
    view=st.integers(0, 9),
)
def test_inside_the_box_no_color_of_the_padding_shows(
    start: int, length: int, is_wide: bool, side: int, augmentation: Augmentation | None, view: int
) -> None:
    end = min(start + length, SIDE)
    box = (0, start, SIDE, end) if is_wide else (start, 0, end, SIDE)
    boxes, shown = torch.empty(2, 1, 4, dtype=torch.int64), []
    for color, found in zip((0, 255), boxes, strict=True):
        shown.append(draw_photos(Squares(box, color), [(view, 0)], side, augmentation, 17, found))
    assert torch.equal(boxes[0], boxes[1])
    left, top, right, bottom = boxes[0, 0].tolist()
    assert 0 <= left <= right <= side
    assert 0 <= top <= bottom <= side
    assert torch.equal(shown[0][:, :, top:bottom, left:right], shown[1][:, :, top:bottom, left:right])


def test_a_photo_without_a_box_is_named() -> None:
    assert len(draw_photos(Squares(None, 0), [(0, 0)], SIDE, None, 0)) == 1
    with pytest.raises(RecordError, match=r"photo a of split train: nothing says where .* or mask_padding: false"):
        draw_photos(Squares(None, 0), [(0, 0)], SIDE, None, 0, torch.empty(1, 4, dtype=torch.int64))
