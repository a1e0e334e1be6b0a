"""How long a download waits before it is tried again."""

import email.utils
import time

import pytest

from fieldguide.fetch.download import retry_after_s, wait_before_retry


def test_waits_double_within_bounds_and_differ_by_url() -> None:
    for attempt, longest in enumerate([0.5, 1, 2, 4, 8, 16, 30, 30]):
        wait = wait_before_retry("http://a/1.jpg", attempt, None)
        assert longest / 2 <= wait <= longest
        assert wait == wait_before_retry("http://a/1.jpg", attempt, None)
        assert wait != wait_before_retry("http://a/2.jpg", attempt, None)


def test_a_server_may_ask_for_patience_but_not_for_ever() -> None:
    assert wait_before_retry("http://a/1.jpg", 0, 7) == 7
    assert wait_before_retry("http://a/1.jpg", 0, 1e9) == 120


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, None), ("7", 7), ("", None), ("soon", None), ("-3", None), ("9" * 400, 999_999_999)],
)
def test_retry_after_is_read_as_seconds(header: str | None, expected: float | None) -> None:
    assert retry_after_s({"Retry-After": header} if header is not None else {}) == expected


@pytest.mark.parametrize(
    "header",
    [
        "Mon, 01 Jan 0001 00:00:00 -0000",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        f"Wed, 21 Oct 2015 07:28:00 -{'9' * 40}",
        "\x00",
    ],
)
def test_a_date_that_is_none_is_no_reason_to_wait(header: str) -> None:
    assert not 0 < (retry_after_s({"Retry-After": header}) or 0) < 120


def test_retry_after_is_read_as_a_date() -> None:
    later = retry_after_s({"Retry-After": email.utils.formatdate(time.time() + 100, usegmt=True)})
    assert later is not None
    assert 0 < later <= 101
    assert retry_after_s({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
