"""Boxes that sources draw around what a photo is about.

In the catalogue a box is a list: left, top, right, bottom in px of the picture that it was drawn on, then the width and
height of that picture, both left out where the source names none: photos may have been shrunk or turned since. An
empty list is a box of which no sense can be made; what a box is good for is known once its photo is there
(images/subject.py).
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

DrawnBox = tuple[float, ...]
"""As in the catalogue: 4 numbers, 6, or none at all."""
NONSENSE: Final[DrawnBox] = ()


def read_box(box: Any, width: Any = None, height: Any = None) -> DrawnBox | None:
    """A box as COCO has it, [left, top, width, height], and the size of its picture, as the catalogue has it.

    `box` is a list of four numbers, or a text of four with spaces, commas or brackets; None and an empty text are none.
    """
    if isinstance(box, str):
        box = _split(box)
    elif isinstance(box, Mapping) or not (box is None or isinstance(box, Sequence)):
        return NONSENSE
    if not box:
        return None
    numbers = [_number(value) for value in box]
    if len(numbers) != 4 or None in numbers:
        return NONSENSE
    left, top, across, down = (value for value in numbers if value is not None)
    return on_picture((left, top, left + across, top + down), width, height) if min(across, down) > 0 else NONSENSE


def on_picture(corners: Sequence[float], width: Any, height: Any) -> DrawnBox:
    """Left, top, right, bottom and, where both are known, the size of the picture that they are px of."""
    sides = [side for side in (_number(width), _number(height)) if side is not None and side > 0]
    return *corners, *(sides if len(sides) == 2 else ())


def _split(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, list) else re.split(r"[\s,;]+", text.strip(" \t[]()")) if text.strip() else []


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
