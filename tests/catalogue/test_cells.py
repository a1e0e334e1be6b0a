"""The rows are the specification: what a source's own types become, as text or numbers."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bson import ObjectId

from fieldguide.catalogue.sources.cells import number_or_nothing, plain, whole_id

NUMBER = "00000000-0000-0000-0000-0000000000ff"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("1.0", "1.0"),
        (7, 7),
        (7.0, 7),
        (-7.0, -7),
        (0.5, 0.5),
        (1e300, 1e300),
        (float("nan"), None),
        (float("inf"), float("inf")),
        (Decimal("7"), "7"),
        (Decimal("7.00"), "7"),
        (Decimal("46.50"), "46.5"),
        (Decimal("700"), "700"),
        (Decimal("7E2"), "700"),
        (Decimal("1" * 38), "1" * 38),
        (Decimal("1E+1000000"), "1E+1000000"),
        (Decimal("NaN"), None),
        (Decimal("sNaN"), None),
        (Decimal("Infinity"), "Infinity"),
        (date(2026, 5, 1), "2026-05-01"),
        (datetime(2026, 5, 1, 12, tzinfo=UTC), "2026-05-01T12:00:00+00:00"),
        (time(12, 30), "12:30:00"),
        (UUID(NUMBER), NUMBER),
        (UUID(NUMBER).bytes, NUMBER),
        (b"1.jpg", "1.jpg"),
        ("Isoëtes".encode(), "Isoëtes"),
        (b"\xff\x00", "ff00"),
        (ObjectId("0" * 23 + "5"), "0" * 23 + "5"),
        ([1.0], [1.0]),
        ({"a": 1.0}, {"a": 1.0}),
    ],
)
def test_plain(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12.0", "12"), (" 12.00 ", "12"), (12.0, 12), ("1.10", "1.10"), ("a1.0", "a1.0"), ("v1.0.0", "v1.0.0")],
)
def test_whole_id(value: Any, expected: Any) -> None:
    assert whole_id(value) == expected


@pytest.mark.parametrize(("value", "expected"), [("NaN", None), (" n/a", None), ("46.5", "46.5"), (46.5, 46.5)])
def test_number_or_nothing(value: Any, expected: Any) -> None:
    assert number_or_nothing(value) == expected
