"""One plant of a species: what it keeps in all its photos, its leaves, and the petals of its flowers."""

import colorsys
from dataclasses import dataclass, replace

import numpy as np

from sample.brush import Blade, Easel, Midrib, Paint, Plane, Point, paint_blade
from sample.flora import Species, hexadecimal
from sample.layers import Color, mixed

UP = -np.pi / 2
"""Towards the top of the picture, rad."""

FRONT = Plane(0, 0)
"""The picture itself: a sheet that faces the camera, in pixels."""

STEM = Blade(0.013, 0.05, 0.05, venation="none")


@dataclass(frozen=True)
class Individual:
    """What one plant keeps in all its photos: its number of petals and its own tint, build and vigour."""

    species: Species
    petals: int
    hue: float  # turn of the colour circle
    paleness: float
    plumpness: float  # factor on the width of petals and leaves
    spots: int

    def tint(self, code: str) -> Color:
        """A colour of the species as this plant has it."""
        hue, lightness, saturation = colorsys.rgb_to_hls(*hexadecimal(code))
        color = colorsys.hls_to_rgb(hue + self.hue, lightness, saturation)
        target = (1.0, 1.0, 1.0) if self.paleness > 0 else (0.25, 0.1, 0.2)
        return mixed(color, target, abs(self.paleness))


def grow(species: Species, rng: np.random.Generator) -> Individual:
    """A plant of `species`."""
    flower = species.flower
    return Individual(
        species=species,
        petals=int(rng.integers(flower.petals[0], flower.petals[1] + 1)),
        hue=float(np.clip(rng.normal(0, 0.010), -0.025, 0.025)),
        paleness=float(np.clip(rng.normal(0.02, 0.06), -0.10, 0.18)),
        plumpness=float(np.clip(rng.normal(1, 0.08), 0.8, 1.2)),
        spots=int(rng.integers(flower.spots[0], flower.spots[1] + 1)),
    )


def draw_leaf(easel: Easel, plane: Plane, plant: Individual, at: Point, angle: float, length: float) -> None:
    """Draw one leaf of `plant`, simple or compound, from its stalk `at` a point of `plane`."""
    species = plant.species
    green = mixed(plant.tint(species.leaf_color), (0.55, 0.6, 0.2), easel.vary(0, 0.22))
    paint = Paint(mixed(green, (0.05, 0.16, 0.08), 0.35), green, mixed(green, (0.85, 0.92, 0.65), 0.5), 0.38)
    blade = replace(species.leaf, width=species.leaf.width * plant.plumpness)
    for step in _fan(species.leaflets):
        rib = Midrib(at, angle + step * 0.62, length * (1 - 0.14 * abs(step)), easel.stray(0.10))
        paint_blade(easel, plane, blade, paint, rib)


def draw_stem(easel: Easel, plant: Individual, rib: Midrib) -> None:
    """Draw a bare stem."""
    green = plant.tint(plant.species.leaf_color)
    paint_blade(easel, FRONT, STEM, Paint(mixed(green, (0.1, 0.15, 0.05), 0.35), green, green), rib)


def petal_of(plant: Individual) -> tuple[Blade, Paint]:
    """Outline and colors of the petals of `plant`."""
    flower = plant.species.flower
    blade = replace(flower.petal, width=flower.petal.width * plant.plumpness)
    paint = Paint(
        inner=plant.tint(flower.inner),
        outer=plant.tint(flower.outer),
        vein=plant.tint(flower.vein),
        vein_strength=0.32,
        blotch=plant.tint(flower.blotch) if flower.blotch else None,
        blotch_reach=0.34,
        spots=plant.spots,
        spot=mixed(plant.tint(flower.vein), (0.15, 0.02, 0.02), 0.6),
        tip=plant.tint(flower.tip) if flower.tip else None,
    )
    return blade, paint


def _fan(leaflets: int) -> list[float]:
    """Leaflets from the outermost in, in steps from the middle one: -2, 2, -1, 1, 0 for five."""
    middle = (leaflets - 1) / 2
    return sorted((number - middle for number in range(leaflets)), key=lambda step: (-abs(step), step))
