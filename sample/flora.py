"""The invented flora: 12 species in 6 genera in 3 families, what tells them apart, how common they are and where.

Genera differ in the build of the flower. Species of one genus share it and differ in the number and shape of
petals, in tint, in markings and in the leaf, as real congeners do.
"""

from dataclasses import dataclass

from sample.brush import Blade
from sample.layers import Color


def hexadecimal(code: str) -> Color:
    """`#rrggbb` as red, green and blue in [0, 1]."""
    red, green, blue = (int(code[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


@dataclass(frozen=True)
class Flower:
    """One flower: its build, how many petals it may have, their shape and colors."""

    build: str  # a key of HEADS or RACEMES in sample/flowers.py
    petals: tuple[int, int]  # fewest and most
    petal: Blade
    inner: str  # colors as #rrggbb
    outer: str
    vein: str
    heart: str
    tip: str | None = None
    blotch: str | None = None
    spots: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Species:
    """One species and everything the drawing needs to know of it."""

    name: str
    family: str
    vernacular: str
    share: int  # photos out of about 1,340
    flower: Flower
    leaf: Blade
    leaf_color: str
    leaflets: int = 1  # more than one: a compound leaf
    regions: tuple[int, int, int, int] = (9, 4, 3, 3)  # weights of REGIONS

    @property
    def genus(self) -> str:
        """The first word of the name."""
        return self.name.split()[0]


REGIONS = ("EU_SW", "EU_NORTH", "EU_EAST", "AMERICAS_NORTH")
CENTRES = {"EU_SW": (41.0, -3.0), "EU_NORTH": (60.0, 14.0), "EU_EAST": (49.0, 25.0), "AMERICAS_NORTH": (42.0, -92.0)}
"""Latitude and longitude in the middle of each region, degrees."""

_LIGULE = Blade(0.15, 0.5, 0.28, venation="parallel", veins=3)
_CUP = Blade(0.44, 0.85, 0.33, notch=0.10, venation="parallel", veins=9)
_BELL = Blade(0.33, 0.34, 0.12, venation="parallel", veins=5)
_TEPAL = Blade(0.21, 0.55, 0.75, venation="parallel", veins=3)
_FLORET = Blade(0.12, 0.5, 0.5, venation="none")

FLORA = (
    Species(
        "Auremia campestris", "Auremiaceae", "meadow sunwheel", 346,
        Flower("daisy", (13, 16), _LIGULE, "#f3f1e4", "#fdfdfa", "#c9c8bd", "#f0b51c"),
        Blade(0.24, 0.9, 0.6, "lobed", 5, 0.45), "#5c8a3a",
    ),
    Species(
        "Velisia arvensis", "Velisaceae", "field veilcup", 258,
        Flower("cup", (5, 5), _CUP, "#f6dbe4", "#dd5f98", "#b02d6b", "#f0e08a"),
        Blade(0.30, 0.6, 0.5, "lobed", 3, 0.30), "#4f8446", leaflets=5,
    ),
    Species(
        "Cormella nutans", "Velisaceae", "nodding lanternbell", 192,
        Flower("nodding bells", (3, 6), _BELL, "#6a5fc4", "#8b85e0", "#453a9c", "#f2ecc8"),
        Blade(0.13, 0.7, 0.9, "entire"), "#5d8d4a", regions=(6, 7, 3, 3),
    ),
    Species(
        "Orlindra picta", "Orlindraceae", "painted starlily", 143,
        Flower("star", (6, 6), _TEPAL, "#f7a13d", "#ee6a26", "#b83e12", "#7a2f1a", spots=(7, 11)),
        Blade(0.10, 0.5, 0.9, venation="parallel", veins=7), "#4b8a4e",
    ),
    Species(
        "Thessamia spicata", "Orlindraceae", "lavender towerlip", 107,
        Flower("tower", (34, 46), Blade(0.33, 0.7, 0.4, venation="none"),
               "#7b52b8", "#b08fe6", "#54348a", "#f4ead0"),
        Blade(0.17, 0.5, 0.8, "crenate", 9, 0.14), "#6f9460", regions=(9, 1, 4, 0),
    ),
    Species(
        "Auremia pallida", "Auremiaceae", "pale sunwheel", 80,
        Flower("daisy", (19, 24), Blade(0.10, 0.5, 0.4, venation="parallel", veins=3),
               "#f3dc7a", "#f8efb4", "#cdb866", "#b8a022"),
        Blade(0.20, 0.9, 0.6, "lobed", 6, 0.35), "#69904a", regions=(10, 2, 3, 2),
    ),
    Species(
        "Velisia maculata", "Velisaceae", "spotted veilcup", 60,
        Flower("cup", (5, 5), Blade(0.36, 0.8, 0.38, notch=0.22, venation="parallel", veins=7),
               "#ecd3ea", "#c27fcb", "#8a489b", "#efe6b0", blotch="#6b1f55"),
        Blade(0.24, 0.6, 0.6, "lobed", 3, 0.34), "#4a7a4b", leaflets=5, regions=(9, 3, 4, 2),
    ),
    Species(
        "Pelloria montana", "Auremiaceae", "mountain globetuft", 45,
        Flower("globe", (105, 130), _FLORET, "#8c2f80", "#cf58b0", "#6b2060", "#8a2c78"),
        Blade(0.19, 0.7, 0.8, "serrate", 9, 0.22), "#5f8a63", regions=(10, 2, 4, 2),
    ),
    Species(
        "Cormella stricta", "Velisaceae", "upright lanternbell", 36,
        Flower("upright bells", (4, 7), Blade(0.25, 0.34, 0.12, venation="parallel", veins=5),
               "#8fa5e2", "#b4c4f2", "#5f76bd", "#f4f0d8"),
        Blade(0.07, 0.6, 0.9, "entire"), "#6f9a5c", regions=(5, 2, 3, 8),
    ),
    Species(
        "Auremia crenata", "Auremiaceae", "blushing sunwheel", 32,
        Flower("daisy", (8, 10), Blade(0.19, 0.5, 0.25, notch=0.07, venation="parallel", veins=3),
               "#f8f1ee", "#f9e9ea", "#d5bdc0", "#d8851c", tip="#e58fab"),
        Blade(0.27, 0.7, 0.5, "crenate", 6, 0.20), "#547f40", regions=(9, 3, 4, 2),
    ),
    Species(
        "Orlindra serotina", "Orlindraceae", "late starlily", 28,
        Flower("star", (6, 6), Blade(0.14, 0.5, 0.8, venation="parallel", veins=3),
               "#f3e04f", "#f6bd46", "#c98a1e", "#8f4b1c", spots=(0, 2)),
        Blade(0.07, 0.5, 0.9, venation="parallel", veins=5), "#58935a", regions=(10, 2, 3, 2),
    ),
    Species(
        "Pelloria hirsuta", "Auremiaceae", "woolly globetuft", 14,
        Flower("globe", (60, 80), Blade(0.16, 0.5, 0.5, venation="none"),
               "#e4c9dd", "#d295c6", "#9a6290", "#f0e3d0"),
        Blade(0.23, 0.7, 0.6, "serrate", 6, 0.20), "#7c9676", regions=(6, 3, 3, 3),
    ),
)  # fmt: skip

MISSING_FROM_TAXONOMY = "Orlindra serotina"
"""A species that taxonomy.csv does not list, though it lists its genus."""

RAREST = "Pelloria hirsuta"
"""The species that stays below `min_samples` usable photos."""
