"""Draws flowers by their build: heads seen from above (daisy, globe, cup, star), and racemes (bells, towers).

Each genus has one build, so the build tells genera apart; numbers, outlines and colors come from the species.
"""

import math
from collections.abc import Callable
from dataclasses import replace

from sample.brush import Blade, Easel, Midrib, Paint, Plane, Point, away, paint_ball, paint_blade
from sample.layers import mixed
from sample.plants import FRONT, STEM, Individual, draw_stem, petal_of

GOLDEN_ANGLE = math.pi * (3 - 5**0.5)
CENTER: Point = (0.0, 0.0)


def draw_head(easel: Easel, plane: Plane, plant: Individual, radius: float) -> None:
    """Draw one flower head of `radius` px around the origin of `plane`; for builds in HEADS."""
    HEADS[plant.species.flower.build](easel, plane, plant, radius)


def draw_raceme(easel: Easel, plant: Individual, stem: Midrib) -> None:
    """Draw a stem that carries flowers along its upper part; for builds in RACEMES."""
    draw_stem(easel, plant, stem)
    RACEMES[plant.species.flower.build](easel, plant, stem)


def _whorl(
    easel: Easel,
    plane: Plane,
    plant: Individual,
    radius: float,
    *,
    inset: float,
    wobble: float = 0.05,
    bend: float = 0.06,
) -> None:
    """Petals all round the origin; `inset` is the part of the radius that they leave free."""
    blade, paint = petal_of(plant)
    start, number = easel.vary(0, 6.3), plant.petals
    # Every other petal first: the second half lies on top, as in a bud that unfolds.
    for index in [*range(0, number, 2), *range(1, number, 2)]:
        angle = start + 2 * math.pi * index / number + easel.stray(wobble)
        length = radius * easel.vary(0.92, 1.04) * (1 - inset)
        rib = Midrib(away(CENTER, angle, radius * inset), angle, length, easel.stray(bend))
        paint_blade(easel, plane, blade, paint, rib, seed=int(easel.rng.integers(1 << 30)))


def _daisy(easel: Easel, plane: Plane, plant: Individual, radius: float) -> None:
    _whorl(easel, plane, plant, radius, inset=0.2, wobble=0.07)
    heart, disc = plant.tint(plant.species.flower.heart), radius * 0.29
    paint_ball(easel, plane, CENTER, disc * (0.6 + 0.4 * plane.tilt), mixed(heart, (0.25, 0.12, 0.0), 0.45))
    for floret in range(90):
        at = away(CENTER, floret * GOLDEN_ANGLE, disc * (floret / 90) ** 0.5)
        tone = mixed(heart, (0.3, 0.3, 0.05) if floret < 25 else (1, 1, 0.7), easel.vary(0.05, 0.35))
        paint_ball(easel, plane, at, max(0.8, disc * 0.085), tone)


def _globe(easel: Easel, plane: Plane, plant: Individual, radius: float) -> None:
    blade, paint = petal_of(plant)
    heart = plant.tint(plant.species.flower.heart)
    ball = replace(plane, tilt=0.6 + 0.4 * plane.tilt)
    paint_ball(easel, ball, CENTER, radius * 0.6, heart)
    # Florets stand on a half sphere: the outer ones are seen from the side, the inner ones nearly end on.
    for floret in range(plant.petals, 0, -1):
        out, angle = (floret / plant.petals) ** 0.5, floret * GOLDEN_ANGLE + easel.stray(0.1)
        length = radius * (0.20 + 0.26 * out) * easel.vary(0.85, 1.15)
        rib = Midrib(away(CENTER, angle, radius * out * 0.62), angle, length)
        gray = easel.vary(0, 1)
        outer, inner = mixed(paint.outer, (gray, gray, gray), 0.13), mixed(paint.inner, heart, 0.4 * (1 - out))
        shape = replace(blade, width=blade.width * (1.7 - 0.6 * out))
        paint_blade(easel, ball, shape, replace(paint, outer=outer, inner=inner), rib, shadow=0.45)
        if floret % 3 == 0:
            paint_ball(easel, ball, rib.point(1.02), max(0.7, radius * 0.022), mixed(paint.outer, (1, 1, 0.9), 0.6))
    for bud in range(34, 0, -1):
        at = away(CENTER, bud * GOLDEN_ANGLE, radius * 0.27 * (bud / 34) ** 0.5)
        paint_ball(easel, ball, at, radius * 0.058, mixed(paint.inner, paint.outer, easel.vary(0, 0.7)))


def _cup(easel: Easel, plane: Plane, plant: Individual, radius: float) -> None:
    _whorl(easel, plane, plant, radius, inset=0.02)
    heart = plant.tint(plant.species.flower.heart)
    paint_ball(easel, plane, CENTER, radius * 0.10, mixed(heart, (0.35, 0.5, 0.1), 0.5))
    thread = Paint(heart, mixed(heart, (1, 1, 1), 0.4), heart)
    for stamen in range(11):
        rib = Midrib(CENTER, stamen * 2 * math.pi / 11 + easel.stray(0.1), radius * easel.vary(0.14, 0.24))
        paint_blade(easel, plane, replace(STEM, width=0.05), thread, rib, shadow=0)
        paint_ball(easel, plane, rib.point(1), max(0.9, radius * 0.035), mixed(heart, (0.95, 0.8, 0.2), 0.6))


def _star(easel: Easel, plane: Plane, plant: Individual, radius: float) -> None:
    _whorl(easel, plane, plant, radius, inset=0.03, bend=0.10)
    heart, turn = plant.tint(plant.species.flower.heart), easel.vary(0, 6.3)
    thread = Paint((0.75, 0.8, 0.4), (0.95, 0.9, 0.6), heart)
    pollen = Paint(heart, mixed(heart, (0.9, 0.5, 0.2), 0.4), heart)
    anther = Blade(0.30, 0.5, 0.5, venation="none")
    for stamen in range(6):
        angle, length = turn + stamen * math.pi / 3 + easel.stray(0.15), radius * easel.vary(0.42, 0.55)
        rib = Midrib(CENTER, angle, length, easel.stray(0.12))
        paint_blade(easel, plane, replace(STEM, width=0.022), thread, rib)
        across = rib.direction(1) + math.pi / 2
        paint_blade(
            easel, plane, anther, pollen, Midrib(away(rib.point(1), across, -0.06 * radius), across, radius * 0.13)
        )
    paint_ball(easel, plane, CENTER, radius * 0.07, (0.72, 0.8, 0.35))


def _bells(easel: Easel, plant: Individual, stem: Midrib) -> None:
    flower = plant.species.flower
    green = plant.tint(plant.species.leaf_color)
    nods = flower.build == "nodding bells"
    for bell in range(plant.petals):
        u = 0.5 + 0.5 * bell / max(1, plant.petals - 1)
        side = 1 if bell % 2 else -1
        out = stem.direction(u) + side * easel.vary(0.7, 1.0) * (1 if bell < plant.petals - 1 else 0.35)
        size = stem.length * 0.24 * easel.vary(0.85, 1.1)
        stalk = Midrib(stem.point(u), out, size * 0.5, side * (0.55 if nods else -0.2))
        paint_blade(easel, FRONT, STEM, Paint(green, green, green), stalk)
        mouth = (math.pi / 2 if nods else stalk.direction(1)) - side * 0.35 + easel.stray(0.12)
        _bell(easel, plant, stalk.point(1), mouth, size)


def _bell(easel: Easel, plant: Individual, at: Point, angle: float, size: float) -> None:
    """One bell of `size` px that hangs from `at` and opens towards `angle`: back lobes, body, front lobes."""
    blade, paint = petal_of(plant)
    lobe = Blade(blade.width * 0.75, 0.5, 0.75, venation="none")
    flare = math.atan(blade.width * 1.05)
    night = (0.1, 0.05, 0.25)
    inside = replace(paint, inner=mixed(paint.inner, night, 0.35), outer=mixed(paint.outer, night, 0.2))
    for turn in (-0.5, 0.5):
        paint_blade(easel, FRONT, lobe, inside, Midrib(at, angle + turn * flare, size * 1.13))
    paint_blade(easel, FRONT, blade, paint, Midrib(at, angle, size))
    for turn in (-1.0, 1.0, 0.0):
        start = away(at, angle + turn * flare * 0.8, size * 0.72)
        rib = Midrib(start, angle + turn * flare * 1.9, size * 0.42)
        paint_blade(easel, FRONT, replace(lobe, width=0.34), replace(paint, inner=paint.outer), rib, shadow=0.12)
    cap = mixed(plant.tint(plant.species.leaf_color), (0.2, 0.3, 0.1), 0.4)
    paint_ball(easel, FRONT, at, size * 0.10, cap)


def _tower(easel: Easel, plant: Individual, stem: Midrib) -> None:
    """Two-lipped flowers in a spiral round the upper stem, smaller towards the top, buds at the tip."""
    blade, paint = petal_of(plant)
    heart = plant.tint(plant.species.flower.heart)
    bud = mixed(mixed(paint.inner, paint.outer, 0.5), (0.75, 0.85, 0.7), 0.2)
    for number in range(plant.petals):
        rise = number / plant.petals
        u = 0.38 + 0.62 * rise
        size = stem.length * 0.15 * (1 - 0.78 * rise)
        around, up = math.sin(number * GOLDEN_ANGLE), stem.direction(u)
        at = away(stem.point(u), up + math.pi / 2, size * 0.5 * around)
        if rise > 0.84:
            paint_ball(easel, FRONT, at, size * 0.5, mixed(bud, (1, 1, 1), easel.vary(0, 0.2)))
            continue
        own = replace(paint, outer=mixed(paint.outer, (1, 1, 1), easel.vary(0, 0.2)))
        lip = replace(own, inner=mixed(paint.outer, heart, 0.7), outer=mixed(own.outer, paint.inner, 0.25))
        paint_blade(easel, FRONT, blade, own, Midrib(at, up + 0.9 * around, size * 0.8, 0.2))
        fall = up + math.copysign(math.pi * (0.92 - 0.3 * abs(around)), around)
        for turn in (-0.5, 0.5, 0.0):
            paint_blade(easel, FRONT, blade, lip, Midrib(at, fall + turn, size * 0.75), shadow=0.3)
        paint_ball(easel, FRONT, at, size * 0.12, mixed(heart, (0.9, 0.7, 0.2), 0.5))


HEADS: dict[str, Callable[[Easel, Plane, Individual, float], None]] = {
    "daisy": _daisy,
    "globe": _globe,
    "cup": _cup,
    "star": _star,
}
RACEMES: dict[str, Callable[[Easel, Individual, Midrib], None]] = {
    "nodding bells": _bells,
    "upright bells": _bells,
    "tower": _tower,
}
