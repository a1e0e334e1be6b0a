"""Makes the square: a photo or a part of it resized, and the rest of the square filled.

The same arithmetic runs in the browser (web/preprocess.js); change both or neither.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from fieldguide.images.geometry import Box, Color, Fill, Layout, place, place_part
from fieldguide.images.turning import Region


def make_square(
    image: Image.Image,
    layout: Layout,
    part: Box | None = None,
    size: tuple[int, int] | None = None,
    filled: Region = (0.0, 0.0, 1.0, 1.0),
) -> tuple[Image.Image, Box]:
    """`image` (RGB), or `part` of it, as a square by antialiased bicubic, and the box that it fills there.

    Of a photo of `size` that was decoded at a scale, `part` is in px of the photo, and `filled` as `decode_photo` says.
    """
    size = size or image.size
    placement = place_part(part, layout) if part else place(*size, layout)
    left, top, right, bottom = placement.target
    source: Region = placement.source
    if size != image.size:
        across, down = (image.width * (filled[2] - filled[0]), image.height * (filled[3] - filled[1]))
        start = (image.width * filled[0], image.height * filled[1])
        source = (
            start[0] + source[0] * across / size[0],
            start[1] + source[1] * down / size[1],
            min(start[0] + source[2] * across / size[0], image.width),
            min(start[1] + source[3] * down / size[1], image.height),
        )
    resized = image.resize((right - left, bottom - top), Image.Resampling.BICUBIC, box=source)
    if resized.size == (layout.size, layout.size):
        return resized, placement.target
    if layout.fill in (Fill.EDGE, Fill.REFLECT):
        pixels = np.asarray(resized)
        rows = _spread(top, resized.height, layout.size, layout.fill)
        columns = _spread(left, resized.width, layout.size, layout.fill)
        return Image.fromarray(pixels[rows[:, None], columns]), placement.target
    color = layout.color if layout.fill is Fill.COLOR else _mean(resized)
    square = Image.new("RGB", (layout.size, layout.size), color)
    square.paste(resized, (left, top))
    return square, placement.target


def _mean(image: Image.Image) -> Color:
    """The mean of each channel; halves round up."""
    num_pixels = image.width * image.height
    sums = np.asarray(image).sum(axis=(0, 1), dtype=np.int64)
    red, green, blue = ((2 * sums + num_pixels) // (2 * num_pixels)).tolist()
    return red, green, blue


def _spread(start: int, length: int, size: int, fill: Fill) -> npt.NDArray[np.int64]:
    """Which row (or column) of `length` shows at each place of the square, where the first lies at `start`: [size]."""
    places = np.arange(size) - start
    if fill is Fill.EDGE or length == 1:
        return places.clip(0, length - 1)
    # To the last row and back again; the rows at the turns are not shown twice.
    period = 2 * (length - 1)
    folded = places % period
    return np.minimum(folded, period - folded)
