"""What came of asking for one URL: a closed status, and the bytes if it is `ok`."""

from dataclasses import dataclass
from typing import Final

from fieldguide.catalogue.schema import Status

RETRYABLE_CODES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
RETRYABLE: Final = frozenset({Status.TIMEOUT, Status.CONNECTION_ERROR, Status.INCOMPLETE, Status.READ_ERROR})


@dataclass(frozen=True, slots=True)
class Outcome:
    """A status and what belongs to it."""

    status: Status
    http_status: int | None = None
    error: str | None = None
    """One line; None if ok."""
    content: bytes | None = None
    """The bytes as they came, if ok."""
    retry_after_s: float | None = None
    """Seconds that the server asks us to wait, if it does."""
    etag: str | None = None
    last_modified: str | None = None
    is_unchanged: bool = False
    """Whether the server answered that nothing changed (304); then there are no bytes."""


def is_retryable(status: str, http_status: int | None) -> bool:
    """Whether asking again may give another answer."""
    return status in RETRYABLE or (status == Status.HTTP_ERROR and http_status in RETRYABLE_CODES)
