"""One photo becomes one square: the right pixels at the right place, whatever the camera stored."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from fieldguide.images.decode import EXIF_ORIENTATION
from fieldguide.images.encode import ImageFormat
from fieldguide.images.geometry import UNBOXED, Fill, Method
from fieldguide.images.shrink import shrink
from fieldguide.images.turning import TURNS
from fieldguide.records.manifest import SquareStyle
from fieldguide.records.squares import encode_square
from tests.images.forged import SECRET, talkative
from tests.images.pictures import blotches, encode

STYLE = SquareStyle(size=48, method=Method.PAD, pad_color=(255, 255, 255), quality=92)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_no_words_come_along(kind: str) -> None:
    for size in ((48, 48), (200, 100)):
        assert SECRET not in encode_square(talkative(kind, blotches(1, *size)), STYLE)[0]


def checkered(size: tuple[int, int], spot: tuple[int, int, int, int]) -> Image.Image:
    """A grey picture with a red spot."""
    image = Image.new("RGB", size, (90, 90, 90))
    ImageDraw.Draw(image).rectangle((spot[0], spot[1], spot[2] - 1, spot[3] - 1), fill=(220, 10, 10))
    return image


@pytest.mark.parametrize("max_side", [None, 1000, 300, 90])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_box_and_pixels_stay_together(max_side: int | None, orientation: int) -> None:
    """Whatever the camera stored and fetch shrank, the box drawn on what is seen shows the spot and nothing else."""
    size, spot = (1200, 800), (840, 120, 960, 240)
    seen = checkered(size, spot)
    back = {3: 3, 6: 8, 8: 6}.get(orientation)
    stored = seen.transpose(TURNS[back]) if back else seen
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    content = encode(stored, exif=exif, quality=95, subsampling=0)
    content = content if max_side is None else shrink(content, max_side)
    style = STYLE.model_copy(update={"method": Method.BBOX, "format": ImageFormat.PNG})
    square, geometry = encode_square(content, style, (*map(float, spot), *map(float, size)))
    pixels = np.asarray(Image.open(io.BytesIO(square)), np.int16)
    assert np.abs(pixels[8:-8, 8:-8] - (220, 10, 10)).max() < 40
    scale = geometry["source_size"][0] / size[0]
    assert np.abs(np.array(geometry["subject"]) - np.array(spot) * scale).max() <= 1


def test_a_large_photo_of_a_small_subject_is_decoded_as_large_as_it_takes() -> None:
    content = encode(blotches(5, 1600, 1200), quality=95)
    style = STYLE.model_copy(update={"method": Method.BBOX, "format": ImageFormat.PNG, "bbox_margin": 0.5})
    square, _ = encode_square(content, style, (400, 300, 436, 336))
    whole = Image.open(io.BytesIO(content))
    expected = whole.resize((48, 48), Image.Resampling.BICUBIC, box=(382, 282, 454, 354))
    assert (np.asarray(Image.open(io.BytesIO(square))) == np.asarray(expected)).all()


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("side", [70, 83, 84, 92, 105, 115, 153, 200, 233, 461, 470])
def test_scaled_decoding_stays_near_the_whole(side: int, orientation: int) -> None:
    """At 1.2 times the final size and more, pixels move by less than their JPEG moves them, whatever the size."""
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    content = encode(blotches(7, 96, 96).resize((side, side - 7), Image.Resampling.BICUBIC), quality=95, exif=exif)
    png, geometry = encode_square(
        content, STYLE.model_copy(update={"format": ImageFormat.PNG, "method": Method.SQUASH})
    )
    jpeg, _ = encode_square(content, STYLE.model_copy(update={"method": Method.SQUASH}))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert geometry["source_size"] == list(upright.size)
    whole = np.asarray(upright.resize((48, 48), Image.Resampling.BICUBIC), np.int16)
    moved = [np.abs(np.asarray(Image.open(io.BytesIO(each)), np.int16) - whole).mean() for each in (png, jpeg)]
    assert moved[0] < 2
    assert moved[0] < moved[1] / 2
    assert (side < 84) == (moved[0] == 0)


@pytest.mark.parametrize("each", ImageFormat)
@pytest.mark.parametrize("fill", Fill)
@pytest.mark.parametrize("method", UNBOXED)
def test_the_photo_fills_its_box(method: Method, fill: Fill, each: ImageFormat) -> None:
    style = STYLE.model_copy(update={"method": method, "pad_fill": fill, "format": each, "upscale": False})
    for size in ((30, 20), (200, 100), (100, 200)):
        content = encode(blotches(4, *size), "PNG")
        square, geometry = encode_square(content, style)
        left, top, right, bottom = geometry["box"]
        image = Image.open(io.BytesIO(square))
        assert (image.size, image.mode, image.format) == ((48, 48), "RGB", each.value.upper())
        assert 0 <= left < right <= 48
        assert 0 <= top < bottom <= 48
        if method is not Method.CROP:
            expected = blotches(4, *size).resize((right - left, bottom - top), Image.Resampling.BICUBIC)
            difference = np.asarray(image, np.int16)[top:bottom, left:right] - np.asarray(expected)
            assert np.abs(difference).mean() < (0.01 if each is ImageFormat.PNG else 25)  # another place gives 50
