"""The page's accent: a colour of buttons and links for light and one for dark screens, readable on what it stands on.

Contrast is that of WCAG 2.2: (L1 + 0.05) / (L2 + 0.05) of the relative luminances of sRGB.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MIN_CONTRAST: Final = 4.5
"""Of text of usual size (WCAG 2.2, level AA)."""

SURROUNDINGS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "light": MappingProxyType({"paper": "#f4efe2", "card": "#fffdf6", "on-leaf": "#fbf8ee"}),
        "dark": MappingProxyType({"paper": "#151b15", "card": "#1e261e", "on-leaf": "#14200f"}),
    }
)
"""By scheme, what web/base.css puts below the accent (`paper`, `card`) and on it (`on-leaf`)."""


def contrast(one: str, other: str) -> float:
    """Between two colours `#rrggbb`, from 1 (none) to 21 (black on white)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def faintest(colour: str, scheme: str) -> tuple[float, str]:
    """The lowest contrast that an accent has on a screen of that scheme, and against which colour."""
    return min((contrast(colour, other), other) for other in SURROUNDINGS[scheme].values())


def _luminance(colour: str) -> float:
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
