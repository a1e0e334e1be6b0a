"""Puts a plant into the picture: a flower close up, the whole plant, or its leaves alone."""

import math

from sample.brush import Easel, Midrib, Plane, Point
from sample.flowers import CENTER, HEADS, draw_head, draw_raceme
from sample.plants import FRONT, UP, Individual, draw_leaf, draw_stem

VIEWS = {"flower": 0.68, "plant": 0.29, "leaf": 0.03}
"""What fills the frame, and how often."""


def draw_subject(easel: Easel, plant: Individual, view: str) -> None:
    """Draw `plant` as `view` shows it, somewhere near the middle of the layer."""
    height, width = easel.layer.shape[:2]
    side = min(width, height)
    center = (width * easel.vary(0.38, 0.62), height * easel.vary(0.40, 0.60))
    if view == "leaf":
        _rosette(easel, plant, center, side * easel.vary(0.42, 0.6), int(easel.rng.integers(2, 5)))
    elif plant.species.flower.build not in HEADS:
        _racemes(easel, plant, center, close=view == "flower")
    elif view == "flower":
        radius = side * easel.vary(0.34, 0.48)
        _rosette(easel, plant, center, radius * easel.vary(1.2, 1.7), int(easel.rng.integers(3, 6)))
        draw_head(easel, Plane(*center, easel.vary(0.7, 1.0), easel.vary(-0.6, 0.6)), plant, radius)
    else:
        _stand(easel, plant)


def _rosette(easel: Easel, plant: Individual, center: Point, length: float, number: int) -> None:
    """Leaves that spread from one point, seen from above."""
    start = easel.vary(0, 6.3)
    for index in range(number):
        angle = start + 2 * math.pi * index / number + easel.stray(0.25)
        plane = Plane(*center, easel.vary(0.75, 1), angle)
        draw_leaf(easel, plane, plant, CENTER, angle, length * easel.vary(0.8, 1.15))


def _stand(easel: Easel, plant: Individual) -> None:
    """A few stems with leaves and a head on each, seen somewhat from the side."""
    height, width = easel.layer.shape[:2]
    foot = (width * easel.vary(0.4, 0.6), height * easel.vary(0.98, 1.1))
    number = int(easel.rng.integers(1, 4))
    for index in range(number):
        angle = UP + (index - (number - 1) / 2) * easel.vary(0.3, 0.5) + easel.stray(0.12)
        stem = Midrib(foot, angle, height * easel.vary(0.52, 0.78), easel.stray(0.1))
        _stem_leaves(easel, plant, stem)
        draw_stem(easel, plant, stem)
        plane = Plane(*stem.point(1), easel.vary(0.6, 0.9), stem.direction(1) + math.pi / 2)
        draw_head(easel, plane, plant, min(width, height) * easel.vary(0.21, 0.29))


def _racemes(easel: Easel, plant: Individual, center: Point, *, close: bool) -> None:
    """One raceme close up, or two or three side by side; their flowering part fills the middle of the frame."""
    height, width = easel.layer.shape[:2]
    number = 1 if close else int(easel.rng.integers(2, 4))
    for index in range(number):
        spread = (index - (number - 1) / 2) * 0.28
        length = height * (easel.vary(0.95, 1.2) if close else easel.vary(0.8, 1.0))
        angle = UP + spread * 0.6 + easel.stray(0.16)
        middle = (center[0] + spread * width, height * easel.vary(0.45, 0.55))
        foot = (middle[0] - math.cos(angle) * length * 0.78, middle[1] - math.sin(angle) * length * 0.78)
        stem = Midrib(foot, angle, length, easel.stray(0.06))
        _stem_leaves(easel, plant, stem)
        draw_raceme(easel, plant, stem)


def _stem_leaves(easel: Easel, plant: Individual, stem: Midrib) -> None:
    """Leaves along the lower half of a stem, left and right by turns."""
    number = int(easel.rng.integers(4, 8))
    for index in range(number):
        u = 0.07 + 0.45 * index / number
        turn = stem.direction(u) + (1 if index % 2 else -1) * easel.vary(0.6, 1.1)
        size = stem.length * easel.vary(0.22, 0.34) * (1 - 0.4 * index / number)
        draw_leaf(easel, FRONT, plant, stem.point(u), turn, size)
