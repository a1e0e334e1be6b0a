"""Pictures in the making: layers, how they are blurred and composed, soft noise, mixed colours.

A layer is float32 [height, width, 4], colours premultiplied by opacity; a picture is opaque, float32
[height, width, 3]. All values lie in [0, 1].
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Array = NDArray[np.float32]
Color = tuple[float, float, float]


def new_layer(width: int, height: int) -> Array:
    """A clear layer."""
    return np.zeros((height, width, 4), np.float32)


def smooth_noise(rng: np.random.Generator, width: int, height: int, cell: float, octaves: int = 3) -> Array:
    """Cloudy noise [height, width] around 0, about within [-1, 1]; `cell` px is the size of its largest clouds."""
    total = np.zeros((height, width), np.float32)
    weight = 1.0
    for _ in range(octaves):
        grid = rng.uniform(-1, 1, (max(2, int(height / cell) + 2), max(2, int(width / cell) + 2))).astype(np.float32)
        total += weight * np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC))
        cell, weight = cell / 2, weight / 2
    return total


def blurred(layer: Array, radius: float) -> Array:
    """The layer out of focus by `radius` px."""
    if radius < 0.3:
        return layer
    # Pillow blurs eight-bit bands only; a picture may go a little beyond [0, 1] before it is developed.
    eight_bit = (np.clip(layer, 0, 1) * 255 + 0.5).astype(np.uint8)
    bands = [Image.fromarray(eight_bit[..., band].copy()) for band in range(layer.shape[2])]
    soft = [np.asarray(band.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255 for band in bands]
    return np.stack(soft, axis=-1)


def lay_over(below: Array, above: Array) -> None:
    """Compose layer `above` onto the opaque picture `below`, float32 [height, width, 3], in place."""
    below *= 1 - above[..., 3:]
    below += above[..., :3]


def mixed(first: Color, second: Color, part: float) -> Color:
    """The color that lies `part` of the way from `first` to `second`."""
    red, green, blue = (a + (b - a) * part for a, b in zip(first, second, strict=True))
    return red, green, blue


def cast_shadow(picture: Array, layer: Array, light: float) -> None:
    """Darken `picture` in place below what is on `layer`, away from the `light` (rad)."""
    height, width = picture.shape[:2]
    side = min(width, height)
    down, right = (round(-float(along) * side * 0.035) for along in (np.sin(light), np.cos(light)))
    room = max(abs(down), abs(right))
    cover = np.pad(blurred(layer[..., 3:], side * 0.022), ((room, room), (room, room), (0, 0)), mode="edge")
    picture *= 1 - np.float32(0.42) * cover[room - down :, room - right :][:height, :width]
