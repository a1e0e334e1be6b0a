"""Boxes as sources write them, and as the catalogue keeps them."""

from decimal import Decimal
from typing import Any

import pytest

from fieldguide.catalogue.boxes import NONSENSE, DrawnBox, read_box

NONE, SIZE = (None, None), (640, "480")


@pytest.mark.parametrize(
    ("cell", "size", "box"),
    [
        ([10, 20, 30, 40], NONE, (10, 20, 40, 60)),
        ([10, 20, 30, 40], SIZE, (10, 20, 40, 60, 640, 480)),
        ([Decimal("1.5"), 2, 3, 4], SIZE, (1.5, 2, 4.5, 6, 640, 480)),
        ((-5, -5, 10, 10), NONE, (-5, -5, 5, 5)),
        ("[10, 20, 30, 40]", NONE, (10, 20, 40, 60)),
        ("10 20 30 40", NONE, (10, 20, 40, 60)),
        (" (10; 20; 30; 40.5) ", NONE, (10, 20, 40, 60.5)),
        ([10, 20, 30, 40], (640, None), (10, 20, 40, 60)),
        ([10, 20, 30, 40], (0, 480), (10, 20, 40, 60)),
        (None, SIZE, None),
        ("", SIZE, None),
        (" ", SIZE, None),
        ([], SIZE, None),
        ([10, 20, 30], SIZE, NONSENSE),
        ([10, 20, 0, 40], SIZE, NONSENSE),
        ([10, 20, 30, -40], SIZE, NONSENSE),
        ([10, 20, float("nan"), 40], SIZE, NONSENSE),
        ([10, 20, 10**400, 40], SIZE, NONSENSE),
        ([[10], 20, 30, 40], SIZE, NONSENSE),
        ("somewhere on the left", SIZE, NONSENSE),
        ({"left": 10}, SIZE, NONSENSE),
        (7, SIZE, NONSENSE),
    ],
)
def test_read_box(cell: Any, size: tuple[Any, Any], box: DrawnBox | None) -> None:
    assert read_box(cell, *size) == box
