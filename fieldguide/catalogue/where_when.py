"""Where and when a photo was taken, as coarse as is good for rare species and as exact as a season needs."""

import math
import re

DATE = re.compile(r"(\d{4})(?:[-/:](\d{1,2})(?:[-/:](\d{1,2}))?)?(?=$|[T\s/])")
"""A year, perhaps a month, perhaps a day, as ISO 8601, databases and cameras write them."""
LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def coarsen(latitude: float, longitude: float, cell_degrees: float) -> tuple[float, float]:
    """The centre of the cell of `cell_degrees` x `cell_degrees` in which a place lies, degrees.

    Cells are counted from the south pole and the 180th meridian; the last one of a row or column may be narrower.
    """
    return _centre(latitude, 90, cell_degrees), _centre((longitude + 180) % 360 - 180, 180, cell_degrees)


def _centre(degrees: float, most: int, size: float) -> float:
    last = math.ceil(2 * most / size) - 1
    low = -most + size * min(math.floor((degrees + most) / size), last)
    return round((low + min(low + size, most)) / 2, 6)


def read_date(text: str) -> str | None:
    """`2019-05-12`, `2019-05` or `2019`, whatever is sure; None where nothing is.

    Of an interval (`2019-05-12/2019-05-14`) what both ends share. Dates whose order of day and month nobody knows
    (`05/12/2019`) say nothing.
    """
    start, _, end = text.strip().partition("/") if text.count("/") == 1 else (text.strip(), "", "")
    found = _parts(start)
    if found and end:
        last = _parts(end)
        found = [own for own, other in zip(found, last, strict=False) if own == other] if last else []
    return "-".join(found) or None


def _parts(text: str) -> list[str]:
    match = DATE.match(text)
    if not match or not int(match[1]):
        return []
    year, month, day = match[1], *(int(part or 0) for part in match.groups()[1:])
    if not 1 <= month <= 12:
        return [year]
    if not 1 <= day <= LENGTHS[month - 1]:
        return [year, f"{month:02}"]
    return [year, f"{month:02}", f"{day:02}"]
