"""The photo in its place, and around it what was asked for."""

import numpy as np
import pytest
from PIL import Image

from fieldguide.images.geometry import UNBOXED, Box, Fill, Layout, Method
from fieldguide.images.square import make_square

RNG = np.random.default_rng(5)
SHAPES = [(60, 30), (30, 60), (41, 40), (40, 1), (1, 40), (40, 40), (9, 5)]


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8))


def inside(square: Image.Image, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of the box, and [size, size] which pixels those are."""
    left, top, right, bottom = box
    mask = np.zeros(square.size, dtype=bool)
    mask[top:bottom, left:right] = True
    return np.asarray(square)[top:bottom, left:right], mask


def test_padding_has_its_colour_and_the_photo_its_place() -> None:
    square, box = make_square(Image.new("RGB", (60, 30), (200, 0, 0)), Layout(40, Method.PAD, color=(1, 2, 3)))
    photo, mask = inside(square, box)
    assert (photo == (200, 0, 0)).all()
    assert (np.asarray(square)[~mask] == (1, 2, 3)).all()


@pytest.mark.parametrize("upscale", [True, False])
@pytest.mark.parametrize("method", UNBOXED)
@pytest.mark.parametrize("fill", Fill)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_box_is_what_the_photo_fills(shape: tuple[int, int], fill: Fill, method: Method, upscale: bool) -> None:
    image = noise(*shape)
    square, box = make_square(image, Layout(40, method, upscale, fill, (1, 2, 3)))
    assert square.size == (40, 40)
    photo, mask = inside(square, box)
    if method is not Method.CROP:
        size = (box[2] - box[0], box[3] - box[1])
        assert (photo == np.asarray(image.resize(size, Image.Resampling.BICUBIC))).all()
    around = ((box[1], 40 - box[3]), (box[0], 40 - box[2]), (0, 0))
    rest = np.asarray(square)[~mask]
    match fill:
        case Fill.COLOR:
            assert (rest == (1, 2, 3)).all()
        case Fill.MEAN:
            assert np.abs(rest - photo.reshape(-1, 3).mean(axis=0)).max(initial=0) <= 0.5
        case Fill.EDGE:
            assert (np.asarray(square) == np.pad(photo, around, "edge")).all()
        case Fill.REFLECT:
            assert (np.asarray(square) == np.pad(photo, around, "reflect")).all()


def test_a_part_with_its_surroundings_left_out() -> None:
    image = noise(90, 60)
    square, box = make_square(image, Layout(40, Method.CROP, fill=Fill.EDGE), part=(10, 20, 50, 40))
    assert box == (0, 10, 40, 30)
    assert (inside(square, box)[0] == np.asarray(image)[20:40, 10:50]).all()


def test_the_mean_rounds_halves_up() -> None:
    image = Image.fromarray(np.array([[[0, 1, 255], [1, 2, 254]]], np.uint8))
    square, _ = make_square(image, Layout(4, Method.PAD, upscale=False, fill=Fill.MEAN))
    assert square.getpixel((0, 0)) == (1, 2, 255)
