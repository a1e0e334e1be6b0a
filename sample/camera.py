"""Takes one photograph: background, plant, foreground, then light, lens and film."""

import numpy as np
from PIL import Image, ImageFilter

from sample.brush import Easel
from sample.layers import Array, cast_shadow, lay_over, new_layer, smooth_noise
from sample.plants import Individual
from sample.poses import draw_subject
from sample.surroundings import draw_background, draw_foreground, find_place

SUPERSAMPLING = 1.7
"""Pixels that are drawn per pixel of the photo, along each side."""


def photograph(plant: Individual, view: str, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """One photo of `plant`, RGB, of `size` (width, height in px); all that varies comes from `rng`."""
    width, height = (round(side * SUPERSAMPLING) for side in size)
    place = find_place(width, height, rng)
    picture = draw_background(place, rng)
    easel = Easel(new_layer(width, height), place.light, rng)
    draw_subject(easel, plant, view)
    cast_shadow(picture, easel.layer, place.light)
    lay_over(picture, easel.layer)
    if rng.random() < 0.45:
        lay_over(picture, draw_foreground(place, rng))
    return _focus(_develop(picture, rng).resize(size, Image.Resampling.LANCZOS), rng)


def _develop(picture: Array, rng: np.random.Generator) -> Image.Image:
    """Light and film: dapples, exposure, white balance, contrast, vignette, grain."""
    height, width = picture.shape[:2]
    side = min(width, height)
    if rng.random() < 0.4:
        dapple = smooth_noise(rng, width, height, side * float(rng.uniform(0.25, 0.5)), 2)
        picture *= 1 + 0.28 * np.clip(2 * dapple, -1, 1)[..., None]
    warmth = float(rng.normal(0.02, 0.04))
    balance = np.array((1 + warmth, 1, 1 - warmth), np.float32)
    exposure, contrast = float(np.clip(rng.normal(1.06, 0.10), 0.82, 1.3)), float(rng.uniform(0.88, 1.18))
    picture = ((picture * balance * exposure) - 0.45) * contrast + 0.45
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    picture *= (1 - float(rng.uniform(0, 0.22)) * (x * x + y * y) / 2)[..., None]
    if rng.random() < 0.10:
        picture = picture * 0.8 + 0.2 * np.array((1.0, 0.96, 0.85), np.float32)
    picture += rng.normal(0, float(rng.uniform(0.003, 0.013)), (height, width, 1)).astype(np.float32)
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))


def _focus(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Missed focus now and then, else the sharpening that every camera does."""
    if rng.random() < 0.15:
        return image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.1))))
    return image.filter(ImageFilter.UnsharpMask(radius=1, percent=60, threshold=2))
