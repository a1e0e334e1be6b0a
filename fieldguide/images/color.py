"""Colours as browsers show them: profiles converted to sRGB, transparency over white."""

import io
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageCms

from fieldguide.images.parts import MAX_PROFILE_BYTES

INTENT: Final = ImageCms.Intent.RELATIVE_COLORIMETRIC
"""Without compensation of the black point: browsers do none."""
SPACES: Final = {"RGB ": ("RGB", "RGBA", "L"), "GRAY": ("L",), "CMYK": ("CMYK",), "Lab ": ("LAB",)}
"""The modes that a profile of a colour space can be about."""
SAME_WITHIN: Final = 1
"""A profile that moves no colour by more, of 255, is sRGB, as most are; to convert would cost as much as to decode."""


def to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A loaded image of 8 bits a channel as RGB in sRGB, over white.

    A profile that is damaged, or about other channels than the image has, is ignored.
    """
    if "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
        image = image.convert("RGBA")
    elif image.mode in ("P", "YCbCr"):
        image = image.convert("RGB")
    elif image.mode == "1":
        image = image.convert("L")
    image = _convert(image, profile)
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _convert(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "LA":
        gray, alpha = image.split()
        image = _convert(gray, profile).convert("RGB")
        image.putalpha(alpha)
        return image
    if image.mode == "LAB":
        return ImageCms.applyTransform(image, _lab_transform()) or image
    transform = _find_transform(profile, image.mode) if profile and len(profile) <= MAX_PROFILE_BYTES else None
    if transform is None:
        return image
    shown = image if image.mode == transform.input_mode else image.convert(transform.input_mode)
    return ImageCms.applyTransform(shown, transform) or image


@lru_cache(maxsize=1)
def _lab_transform() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB", INTENT)


@lru_cache(maxsize=16)
def _find_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From `profile` to sRGB; None if nothing is to be done, or nothing can be."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode not in SPACES.get(source.profile.xcolor_space, ()):
            return None
        if source.profile.xcolor_space == "RGB " and mode == "L":
            mode = "RGB"
        wanted = "RGBA" if mode == "RGBA" else "RGB"
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, wanted, INTENT)
        return None if _changes_nothing(transform, mode) else transform
    except MemoryError:
        raise
    except Exception:  # whatever is wrong with a profile, the photo is shown without it
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode == "CMYK":
        return False
    steps = np.arange(0, 256, 15).astype(np.uint8)
    colors = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    if mode == "L":
        colors = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=-1)
    shown = Image.fromarray(colors).convert(mode)
    converted = ImageCms.applyTransform(shown, transform)
    assert converted is not None
    moved = np.asarray(converted, np.int16)[..., :3] - colors
    return int(np.abs(moved).max()) <= SAME_WITHIN
