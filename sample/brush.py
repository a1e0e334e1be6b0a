"""The brushes that draw the sample's plants: shaded blades (petals, leaves, stems, grass) and balls.

Both paint on a layer (sample/layers.py), without jagged edges.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sample.layers import Array, Color

Point = tuple[float, float]

SHADOW_SOFTNESS = 0.16
"""Reach of the shadow that a blade casts on what lies below it, as a part of its greatest half-width."""


@dataclass(frozen=True)
class Blade:
    """The outline of a petal or leaf: a flat shape along a midrib from u = 0 (its base) to u = 1 (its tip).

    The half-width is u^base * (1 - u)^tip, scaled to `width` times the length where it is greatest: exponents
    near 0 end bluntly, 0.5 roundly, 1 in a point.
    """

    width: float
    base: float = 0.6
    tip: float = 0.6
    margin: str = "entire"  # entire | serrate | crenate | lobed
    teeth: int = 0
    depth: float = 0.0  # of teeth or lobes, as a part of the half-width
    notch: float = 0.0  # depth of a cut in the tip, as a part of the length
    venation: str = "pinnate"  # pinnate | parallel | none
    veins: int = 6


@dataclass(frozen=True)
class Paint:
    """The colours of a blade: from `inner` at the base to `outer` at the tip, veins, a blotch or spots on it."""

    inner: Color
    outer: Color
    vein: Color
    vein_strength: float = 0.25
    blotch: Color | None = None
    blotch_reach: float = 0.0  # from the base, as a part of the length
    spots: int = 0
    spot: Color = (0.2, 0.05, 0.05)
    tip: Color | None = None


@dataclass(frozen=True)
class Plane:
    """A tilted sheet in the picture that blades lie on: where its origin is (px), how it is turned and squeezed."""

    x: float
    y: float
    tilt: float = 1.0  # 1 faces the camera, near 0 is seen from its edge
    tilt_angle: float = 0.0  # rad; the direction that keeps its length

    def to_screen(self, points: Array) -> Array:
        """Points [..., 2] of the sheet as pixels of the picture."""
        return np.asarray(points @ self._matrix(self.tilt).T + (self.x, self.y), np.float32)

    def from_screen(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Pixels of the picture as points of the sheet."""
        inverse = self._matrix(1 / self.tilt)
        dx, dy = x - self.x, y - self.y
        return inverse[0, 0] * dx + inverse[0, 1] * dy, inverse[1, 0] * dx + inverse[1, 1] * dy

    def _matrix(self, squeeze: float) -> Array:
        cos, sin = np.cos(self.tilt_angle), np.sin(self.tilt_angle)
        turn = np.array([[cos, -sin], [sin, cos]], np.float32)
        return np.asarray(turn @ np.diag([1.0, squeeze]).astype(np.float32) @ turn.T, np.float32)


@dataclass(frozen=True)
class Midrib:
    """The line a blade or stem follows: from `at`, along `angle` (rad), for `length` px.

    `bend` carries its end sideways by that part of the length, along a parabola.
    """

    at: Point
    angle: float
    length: float
    bend: float = 0.0

    def point(self, u: float) -> Point:
        """Where the line is at `u`: 0 its foot, 1 its end."""
        foot = away(self.at, self.angle, self.length * u)
        return away(foot, self.angle + np.pi / 2, self.bend * self.length * u * u)

    def direction(self, u: float) -> float:
        """Where the line leads at `u`, rad."""
        return float(self.angle + np.arctan(2 * self.bend * u))


def away(point: Point, angle: float, distance: float) -> Point:
    """The point that lies `distance` from `point` in the direction `angle` (rad)."""
    return point[0] + math.cos(angle) * distance, point[1] + math.sin(angle) * distance


@dataclass(frozen=True)
class Easel:
    """What every stroke needs: the layer to paint on, where light comes from (rad), and the dice."""

    layer: Array
    light: float
    rng: np.random.Generator

    def vary(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        return float(self.rng.uniform(low, high))

    def stray(self, spread: float) -> float:
        """A number around 0."""
        return float(self.rng.normal(0, spread))


def paint_blade(
    easel: Easel, plane: Plane, blade: Blade, paint: Paint, rib: Midrib, *, shadow: float = 0.35, seed: int = 0
) -> None:
    """Paint one blade along `rib`, a line on `plane`.

    The blade darkens what it covers by `shadow`, a little beyond its edge. `seed` places its spots.
    """
    reach = blade.width * rib.length
    window = _window(easel.layer, plane, rib, reach * 1.3 + 2)
    if window is None:
        return
    rows, columns = window
    y, x = np.mgrid[rows, columns].astype(np.float32)
    x, y = plane.from_screen(x, y)
    length, cos, sin = np.float32(rib.length), np.float32(math.cos(rib.angle)), np.float32(math.sin(rib.angle))
    x, y = x - np.float32(rib.at[0]), y - np.float32(rib.at[1])
    along, across = (x * cos + y * sin) / length, y * cos - x * sin
    u = np.asarray(np.clip(along, 1e-3, 1 - 1e-3), np.float32)
    across = across - np.float32(rib.bend) * length * u * u
    half_width = _half_widths(blade)[(u * 512).astype(np.int32)] * length
    inside = half_width - np.abs(across)
    if blade.notch:
        cut = 1 - blade.notch * np.exp(-((across / np.float32(0.3 * reach)) ** 2))
        inside = np.minimum(inside, (cut - along) * length)
    inside = np.where((along > 0) & (along < 1), inside, np.float32(-reach))
    v = np.asarray(np.clip(across / np.maximum(half_width, np.float32(0.5)), -1, 1), np.float32)

    part = easel.layer[rows, columns]
    soft = np.float32(SHADOW_SOFTNESS * reach + 1)
    part[..., :3] *= 1 - np.float32(shadow) * np.clip(inside / (2 * soft) + np.float32(0.6), 0, 1)[..., None]
    cover = np.clip(inside + np.float32(0.5), 0, 1)[..., None]
    color = _blade_color(blade, paint, u, v, seed) * _blade_tone(u, v, easel.light - rib.angle)[..., None]
    part *= 1 - cover
    part[..., :3] += np.clip(color, 0, 1) * cover
    part[..., 3:] += cover


def paint_ball(easel: Easel, plane: Plane, at: Point, radius: float, color: Color) -> None:
    """Paint a shaded ball of `radius` px `at` a point of `plane`."""
    center = plane.to_screen(np.array(at, np.float32))
    height, width = easel.layer.shape[:2]
    left, right = max(0, int(center[0] - radius - 2)), min(width, int(center[0] + radius + 3))
    top, bottom = max(0, int(center[1] - radius - 2)), min(height, int(center[1] + radius + 3))
    if left >= right or top >= bottom:
        return
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    x, y = (x - center[0]) / np.float32(radius), (y - center[1]) / np.float32(radius)
    distance = np.sqrt(x * x + y * y)
    cover = np.clip((1 - distance) * np.float32(radius) + 0.5, 0, 1)[..., None]
    lit = x * np.float32(np.cos(easel.light)) + y * np.float32(np.sin(easel.light))
    tone = 0.82 + 0.38 * lit - 0.15 * distance
    part = easel.layer[top:bottom, left:right]
    part *= 1 - cover
    part[..., :3] += np.clip(np.array(color, np.float32) * tone[..., None], 0, 1) * cover
    part[..., 3:] += cover


@lru_cache(maxsize=256)
def _half_widths(blade: Blade) -> Array:
    """Half-widths [513] over the length, at u = 0 to 1."""
    u = np.linspace(0, 1, 513, dtype=np.float64)
    peak = blade.base / (blade.base + blade.tip)
    width = (u / peak) ** blade.base * ((1 - u) / (1 - peak)) ** blade.tip
    phase = u * blade.teeth
    if blade.margin == "serrate":
        width *= 1 - blade.depth * (1 - phase % 1)
    elif blade.margin == "crenate":
        width *= 1 - blade.depth * (1 - np.abs(np.sin(np.pi * phase)))
    elif blade.margin == "lobed":
        width *= 1 - blade.depth * np.cos(np.pi * phase) ** 2
    return np.asarray(width * blade.width, np.float32)


def _blade_color(blade: Blade, paint: Paint, u: Array, v: Array, seed: int) -> Array:
    blend = (u * u * (3 - 2 * u))[..., None]
    color = np.array(paint.inner, np.float32) * (1 - blend) + np.array(paint.outer, np.float32) * blend
    if paint.tip is not None:
        _mix_in(color, paint.tip, np.clip((u - 0.72) / 0.2, 0, 1))
    veins = 0.8 * np.exp(-((v / 0.07) ** 2))
    if blade.venation == "pinnate":
        veins = np.maximum(veins, np.clip(np.cos(2 * np.pi * blade.veins * (u - 0.22 * np.abs(v))) * 4 - 3, 0, 1))
    elif blade.venation == "parallel":
        veins = np.maximum(veins, np.clip(np.cos(np.pi * blade.veins * v) * 2 - 1, 0, 1) * 0.7)
    if blade.venation != "none":
        _mix_in(color, paint.vein, np.asarray(veins * paint.vein_strength, np.float32))
    if paint.blotch is not None:
        ragged = paint.blotch_reach * (1 + 0.25 * np.cos(7 * v + seed))
        _mix_in(color, paint.blotch, np.asarray(np.clip((ragged - u) / 0.06, 0, 0.9), np.float32))
    rng = np.random.default_rng(seed)
    for _ in range(paint.spots):
        spot_u, spot_v, size = rng.uniform(0.15, 0.75), rng.uniform(-0.7, 0.7), rng.uniform(0.03, 0.055)
        distance = np.asarray(((u - spot_u) / size) ** 2 + ((v - spot_v) * blade.width / size) ** 2, np.float32)
        _mix_in(color, paint.spot, np.clip(2 - 1.6 * distance, 0, 1))
    return color


def _mix_in(color: Array, other: Color, part: Array) -> None:
    color += (np.array(other, np.float32) - color) * part[..., None]


def _blade_tone(u: Array, v: Array, light: float) -> Array:
    # A blade is a shallow gutter: one half faces the light; the base lies in the shade of its neighbours.
    along, across = np.float32(np.cos(light)), np.float32(np.sin(light))
    tone = 0.98 + 0.16 * across * v + 0.12 * along * (2 * u - 1) + 0.06 * np.cos(2.4 * v)
    tone += 0.10 * np.exp(-(((v - 0.45 * across) / 0.22) ** 2)) * np.sin(np.pi * u)
    return np.asarray(tone * (0.72 + 0.28 * np.clip(u / 0.3, 0, 1)), np.float32)


def _window(layer: Array, plane: Plane, rib: Midrib, reach: float) -> tuple[slice, slice] | None:
    """The rows and columns of `layer` that a blade can touch; None if there are none."""
    low, high = min(0.0, rib.bend * rib.length) - reach, max(0.0, rib.bend * rib.length) + reach
    corners = [
        away(away(rib.at, rib.angle, x), rib.angle + math.pi / 2, y) for x in (-2, rib.length + 2) for y in (low, high)
    ]
    screen = plane.to_screen(np.array(corners, np.float32))
    height, width = layer.shape[:2]
    left, top = np.maximum(np.floor(screen.min(axis=0)) - 2, 0).astype(int)
    right, bottom = np.minimum(np.ceil(screen.max(axis=0)) + 3, (width, height)).astype(int)
    if left >= right or top >= bottom:
        return None
    return slice(int(top), int(bottom)), slice(int(left), int(right))
