"""What databases, data frames and JSON put into a cell, as text or a number: one value has one spelling."""

import math
import re
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from fieldguide.catalogue.names import says_nothing

EXACT = 2**53
"""Whole numbers below are exact in a float, so that one may have been an integer."""
LONGEST_DECIMAL = 40
"""Digits; a longer one keeps its exponent, which may be a million."""
UUID_BYTES = 16
WHOLE = re.compile(r"(-?\d+)\.0+")


def plain(value: Any) -> Any:
    """A cell as text, a number or None, whatever its source's type; lists and mappings stay as they are.

    NaN is None, 1.0 is 1, and so is Decimal("1.00"); dates, times, UUIDs and object ids are their text; bytes are text
    if they can be read as such, else a UUID's if they are 16, else hexadecimal digits.
    """
    match value:
        case None | str() | int() | list() | tuple() | Mapping():
            return value
        case float():
            if math.isnan(value):
                return None
            return int(value) if value.is_integer() and abs(value) < EXACT else value
        case Decimal():
            return None if value.is_nan() else _decimal_text(value)
        case bytes():
            return _text_of_bytes(value)
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def whole_id(value: Any) -> Any:
    """An id as `plain` has it, also where a data frame wrote a whole number's column as 12.0, 13.0, ..."""
    value = plain(value)
    if isinstance(value, str) and (match := WHOLE.fullmatch(value.strip())):
        return match[1]
    return value


def number_or_nothing(value: Any) -> Any:
    """A number's cell as `plain` has it, None where a word such as NaN or NA says that there is none."""
    value = plain(value)
    return None if isinstance(value, str) and says_nothing(value.strip()) else value


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite() or abs(value.adjusted()) > LONGEST_DECIMAL:
        return str(value)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text_of_bytes(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if text.isprintable():
        return text
    return str(UUID(bytes=bytes(value))) if len(value) == UUID_BYTES else value.hex()
