"""Photos as cameras and telephones write them: the same scene in every kind of file."""

import functools
from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.images.pictures import blotches, encode
from tests.images.profiles import CMYK, P3
from tests.images.test_levels import wide_png

ORIENTATION = 0x0112


@functools.cache
def scene(width: int = 600, height: int = 450) -> Image.Image:
    """Coloured blotches with the noise of a sensor."""
    colors = np.asarray(blotches(23, width, height), np.float32)
    noise = np.random.default_rng(23).normal(scale=4, size=colors.shape)
    return Image.fromarray((colors + noise).clip(0, 255).astype(np.uint8))


def _turned(orientation: int, undo: Image.Transpose) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encode(scene().transpose(undo), quality=92, exif=exif)


def _sixteen_bits() -> bytes:
    finer = np.random.default_rng(16).integers(-128, 128, (450, 600, 3))
    return wide_png((np.asarray(scene()).astype(np.int64) * 257 + finer).clip(0, 65535).astype(np.uint16))


def _clear() -> bytes:
    image = scene().copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return encode(image, "PNG")


CAMERA_FILES: dict[str, Callable[[], bytes]] = {
    "plain.jpg": lambda: encode(scene(), quality=92),
    "turned.jpg": lambda: _turned(6, Image.Transpose.ROTATE_90),
    "mirrored.jpg": lambda: _turned(5, Image.Transpose.TRANSPOSE),
    "progressive.jpg": lambda: encode(scene(), quality=92, progressive=True),
    "grey.jpg": lambda: encode(scene().convert("L"), quality=92),
    "display-p3.jpg": lambda: encode(scene(), quality=92, icc_profile=P3),
    "display-p3.png": lambda: encode(scene(), "PNG", icc_profile=P3),
    "cmyk.jpg": lambda: encode(scene().convert("CMYK"), quality=92),
    "cmyk-profile.jpg": lambda: encode(scene().convert("CMYK"), quality=92, icc_profile=CMYK),
    "sixteen-bits.png": _sixteen_bits,
    "clear.png": _clear,
    "lossy.webp": lambda: encode(scene(), "WEBP", quality=85),
    "lossless.webp": lambda: encode(scene(), "WEBP", lossless=True),
    "small-chroma.avif": lambda: encode(scene(), "AVIF", quality=80),
    "twelve-megapixels.jpg": lambda: encode(scene(4000, 3000), quality=92),
}
"""Name -> the bytes of the file."""
