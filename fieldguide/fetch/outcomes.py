"""What came of asking for one URL: a closed status, and the bytes if it is `ok`."""

from dataclasses import dataclass
from typing import Final

from fieldguide.catalogue.schema import Status
from fieldguide.credentials import mask_credentials
from fieldguide.text import printable

RETRYABLE_CODES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
RETRYABLE: Final = frozenset({Status.TIMEOUT, Status.CONNECTION_ERROR, Status.INCOMPLETE, Status.READ_ERROR})
MOST_ERROR_CHARS: Final = 300
MOST_READ_CHARS: Final = 4 * MOST_ERROR_CHARS


@dataclass(frozen=True, slots=True)
class Outcome:
    """A status and what belongs to it."""

    status: Status
    http_status: int | None = None
    error: str | None = None
    """One line of bounded length, whatever was given; None if ok."""
    content: bytes | None = None
    """The bytes as they came, if ok."""
    retry_after_s: float | None = None
    """Seconds that the server asks us to wait, if it does."""
    etag: str | None = None
    last_modified: str | None = None
    is_unchanged: bool = False
    """Whether the server answered that nothing changed (304); then there are no bytes."""

    def __post_init__(self) -> None:
        if self.error is not None:
            object.__setattr__(self, "error", shorten(self.error))


def bounded(content: bytes, max_bytes: int) -> Outcome:
    """The outcome of a photo of which no more than `max_bytes` + 1 were read."""
    return too_large(max_bytes) if len(content) > max_bytes else Outcome(Status.OK, content=content)


def too_large(max_bytes: int) -> Outcome:
    """The outcome of a photo that is not read, or not to its end."""
    return Outcome(Status.TOO_LARGE, error=f"more than {max_bytes} bytes")


def shorten(message: str) -> str:
    """`message` on one printable line of at most MOST_ERROR_CHARS, without passwords.

    What servers, archives and tables say stands in it, and goes into ledgers, pages and terminals.
    """
    text = mask_credentials(printable(" ".join(message[:MOST_READ_CHARS].split())))
    if len(text) <= MOST_ERROR_CHARS and len(message) <= MOST_READ_CHARS:
        return text
    return f"{text[: MOST_ERROR_CHARS - 3]}..."


def is_retryable(status: str, http_status: int | None) -> bool:
    """Whether asking again may give another answer."""
    return status in RETRYABLE or (status == Status.HTTP_ERROR and http_status in RETRYABLE_CODES)
