"""What verdicts come to, and when they are too bad to go on."""

import polars as pl
import pytest

from fieldguide.clean.counts import check_failure_rate, count_by
from fieldguide.errors import PhotoError

VERDICTS = pl.DataFrame(
    {
        "reason": ["kept", "kept", "truncated", "truncated", "empty", "licence"],
        "replaced_by": [None, None, "a photo", None, None, None],
    }
)


def test_counts_come_in_order() -> None:
    assert list(count_by(pl.Series(["b", "a", None, "c", "b"])).items()) == [("b", 2), ("a", 1), ("c", 1)]


def test_what_is_replaced_or_merely_unwanted_is_no_failure() -> None:
    check_failure_rate(VERDICTS, 2 / 6)
    with pytest.raises(
        PhotoError, match=r"2 of 6 photos cannot be used, .*max_failure_rate 0\.3 .*: empty 1, truncated 1"
    ):
        check_failure_rate(VERDICTS, 0.3)
