"""Pictures that tests take for photographs: smooth, seeded, unlike each other."""

import io

import numpy as np
from PIL import Image


def blotches(seed: int, width: int = 200, height: int = 150) -> Image.Image:
    """Coloured blotches, different for every seed."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def encode(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of a picture in Pillow's format `kind`."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
