"""What surrounds the plant: ground, grass, fallen leaves, stones and spots of light behind it, blades before it."""

from dataclasses import dataclass

import numpy as np

from sample.brush import Blade, Easel, Midrib, Paint, paint_ball, paint_blade
from sample.flora import hexadecimal
from sample.layers import Array, Color, blurred, cast_shadow, lay_over, mixed, new_layer, smooth_noise
from sample.plants import FRONT, UP

PALETTES: tuple[tuple[str, ...], ...] = (
    ("#1d3a17", "#3d6b2a", "#7da34c", "#b9c878"),  # meadow
    ("#0e1f14", "#1f3d26", "#3c6642", "#79a06a"),  # wood
    ("#3a2c1f", "#5e4a34", "#8a7354", "#b8a27c"),  # soil
    ("#4a4b49", "#77776f", "#a3a295", "#cdcabb"),  # rock
    ("#35462b", "#77804a", "#b4ac66", "#e0d398"),  # dry grass
)
LITTER: tuple[str, ...] = ("#7a5a35", "#9a7a45", "#5d6b34", "#6d8a48", "#8a4f2c")


@dataclass(frozen=True)
class Place:
    """Where a photo is taken: its size (px while drawing), its colors from dark to light, where light comes from."""

    width: int
    height: int
    palette: tuple[Color, ...]
    light: float  # rad

    @property
    def side(self) -> int:
        """The shorter side, px: the measure of everything in the picture."""
        return min(self.width, self.height)


def find_place(width: int, height: int, rng: np.random.Generator) -> Place:
    """Some place, with light from above."""
    codes = PALETTES[rng.choice(len(PALETTES), p=(0.36, 0.22, 0.18, 0.1, 0.14))]
    return Place(width, height, tuple(hexadecimal(code) for code in codes), float(rng.uniform(-2.9, -0.3)))


def draw_background(place: Place, rng: np.random.Generator) -> Array:
    """The picture behind the plant: ground, two layers of clutter, now and then spots of light."""
    width, height, side = place.width, place.height, place.side
    clouds = smooth_noise(rng, width, height, side * float(rng.uniform(0.2, 0.6)), 4)
    slope = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] * np.float32(rng.normal(0, 1))
    tone = np.clip(1.3 + 0.9 * clouds + slope, 0, 2.999)
    colors = np.array(place.palette, np.float32)
    step, part = tone.astype(np.int32), (tone % 1)[..., None]
    picture = colors[step] * (1 - part) + colors[step + 1] * part
    picture += 0.05 * smooth_noise(rng, width, height, 6, 2)[..., None]
    depth = float(rng.uniform(0.5, 1.1))
    for number, blur in ((int(rng.integers(10, 26)), 0.05), (int(rng.integers(6, 16)), 0.018)):
        easel = Easel(new_layer(width, height), place.light, rng)
        for _ in range(number):
            _clutter(easel, place)
        layer = blurred(easel.layer, blur * depth * side)
        cast_shadow(picture, layer, place.light)
        lay_over(picture, layer)
    if rng.random() < 0.55:
        _bokeh(picture, rng, place.palette)
    return blurred(picture, 0.008 * depth * side)


def draw_foreground(place: Place, rng: np.random.Generator) -> Array:
    """A layer of grass between the plant and the lens: far out of focus, at the edge of the frame."""
    easel = Easel(new_layer(place.width, place.height), place.light, rng)
    for _ in range(int(rng.integers(1, 4))):
        color = mixed(place.palette[2], (0.45, 0.65, 0.3), easel.vary(0, 0.7))
        left = easel.vary(-0.05, 0.2) if rng.random() < 0.5 else easel.vary(0.8, 1.05)
        blade = Blade(easel.vary(0.03, 0.05), 0.2, 0.8, venation="none")
        foot = (left * place.width, place.height * 1.05)
        rib = Midrib(foot, UP + easel.stray(0.2), place.side * easel.vary(0.5, 1.1))
        paint_blade(easel, FRONT, blade, Paint(color, color, color), rib)
    return blurred(easel.layer, place.side * easel.vary(0.02, 0.04)) * np.float32(easel.vary(0.6, 0.9))


def _clutter(easel: Easel, place: Place) -> None:
    """One blade of grass, fallen leaf or pebble, anywhere."""
    palette, side, kind = place.palette, place.side, easel.vary(0, 1)
    at = (easel.vary(-0.1, 1.1) * place.width, easel.vary(-0.1, 1.15) * place.height)
    if kind > 0.9:
        paint_ball(easel, FRONT, at, side * easel.vary(0.02, 0.07), mixed(palette[2], (0.6, 0.58, 0.54), 0.6))
        return
    if kind < 0.5:
        color = mixed(palette[int(easel.rng.integers(1, 4))], (0.35, 0.55, 0.2), easel.vary(0, 0.6))
        blade = Blade(easel.vary(0.02, 0.04), 0.2, 0.8, venation="parallel", veins=2)
        rib = Midrib(at, UP + easel.stray(0.7), side * easel.vary(0.5, 1.2), easel.stray(0.2))
    else:
        color = mixed(hexadecimal(LITTER[easel.rng.integers(len(LITTER))]), palette[2], easel.vary(0.35, 0.85))
        blade = Blade(easel.vary(0.18, 0.4), 0.7, easel.vary(0.5, 0.9), venation="pinnate", veins=7)
        rib = Midrib(at, easel.vary(0, 6.3), side * easel.vary(0.18, 0.5), easel.stray(0.2))
    paint = Paint(mixed(color, (0.05, 0.1, 0.03), 0.4), color, mixed(color, (0.9, 0.9, 0.7), 0.5), 0.4)
    paint_blade(easel, FRONT, blade, paint, rib)


def _bokeh(picture: Array, rng: np.random.Generator, palette: tuple[Color, ...]) -> None:
    """Bright discs where the light of the background is far out of focus."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    radius = min(width, height) * float(rng.uniform(0.03, 0.09))
    for _ in range(int(rng.integers(6, 22))):
        center_x, center_y = rng.uniform(0, width), rng.uniform(0, height)
        size = radius * float(rng.uniform(0.7, 1.3))
        distance = np.hypot(x - np.float32(center_x), y - np.float32(center_y)) / np.float32(size)
        disc = np.clip((1 - distance) * size / 2, 0, 1) * (0.75 + 0.25 * distance)
        color = np.array(mixed(palette[3], (1, 1, 0.85), float(rng.uniform(0.1, 0.8))), np.float32)
        picture += (color - picture) * (disc * np.float32(rng.uniform(0.12, 0.45)))[..., None]
