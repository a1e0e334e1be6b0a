import pytest

from fieldguide.catalogue.schema import Status
from fieldguide.fetch.outcomes import MOST_ERROR_CHARS, Outcome


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (None, None),
        ("HTTP 404", "HTTP 404"),
        ("two\r\n\tlines\u2028and a\u00a0third", "two lines and a third"),
        ("\x1b[2J\u202e\udce9", r"\x1b[2J\u202e\udce9"),
        ("http://ada:secret@example.org/ failed", "http://ada:***@example.org/ failed"),
        ("x" * 300, "x" * 300),
        ("x" * 348_000, "x" * 297 + "..."),
        ("\x00" * 348_000, (r"\x00" * 100)[:297] + "..."),
        ("  " * 348_000, "..."),
    ],
)
def test_errors_are_one_short_printable_line_without_passwords(given: str | None, error: str | None) -> None:
    outcome = Outcome(Status.CONNECTION_ERROR, error=given)
    assert outcome.error == error
    assert len(outcome.error or "") <= MOST_ERROR_CHARS
