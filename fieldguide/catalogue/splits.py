"""The names of the splits."""

from enum import StrEnum
from typing import Final


class Split(StrEnum):
    """Where a photo goes."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
    SEEN = "seen"
    """Held-out photos of species that are trained on."""
    UNSEEN = "unseen"
    """Photos of species that are held out altogether."""
    BLANK = "blank"
    """Photos that show no organism, held out altogether."""


DRAWN: Final = (Split.TRAIN, Split.VAL, Split.TEST)
"""Those that every data set has, in the order in which ratios are laid out over [0, 1)."""

HELD_OUT: Final = (Split.SEEN, Split.UNSEEN, Split.BLANK)
"""Those that only some data sets have."""
