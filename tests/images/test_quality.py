"""The numbers of pictures whose numbers are known."""

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from fieldguide.images.quality import measure_quality

NOISE = np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8)
PHOTO = Image.fromarray(NOISE).resize((640, 480), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (300, 200), (900, 700)])
@pytest.mark.parametrize("level", [0, 200])
def test_a_plain_picture(size: tuple[int, int], level: int) -> None:
    found = measure_quality(Image.new("RGB", size, (level, level, level)))
    assert (found["sharpness"], found["brightness"], found["entropy"]) == (0, level, 0)
    assert found["border_color"] == f"{level:02x}" * 3


def test_blur_lowers_sharpness_and_dark_lowers_brightness() -> None:
    photo, blurred = measure_quality(PHOTO), measure_quality(PHOTO.filter(ImageFilter.GaussianBlur(4)))
    assert blurred["sharpness"] < photo["sharpness"] / 4
    dark = measure_quality(PHOTO.point(lambda level: level // 4))
    assert dark["brightness"] == pytest.approx(photo["brightness"] / 4, abs=1)
    assert dark["entropy"] < photo["entropy"]
    assert photo["border_color"] is None


def test_four_levels_are_two_bits() -> None:
    levels = np.tile(np.array([[0, 60], [120, 240]], np.uint8), (50, 50))
    assert measure_quality(Image.fromarray(levels).convert("RGB"))["entropy"] == 2


def test_sharpness_hardly_depends_on_the_size_of_the_file() -> None:
    large = measure_quality(PHOTO.resize((2560, 1920), Image.Resampling.LANCZOS))["sharpness"]
    assert large == pytest.approx(measure_quality(PHOTO)["sharpness"], rel=0.2)


def test_a_frame_is_found_through_jpeg() -> None:
    framed = ImageOps.expand(PHOTO, 24, (250, 250, 250))
    assert measure_quality(framed)["border_color"] == "fafafa"
