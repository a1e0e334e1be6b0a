"""The way to the console: what is shown there passes here, so that no name of somebody else's acts on a terminal."""

import io
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import TextIO

from fieldguide.process_group import is_first_process
from fieldguide.text import printable

LAYOUT = "\n\t"
"""What our own texts lay themselves out with. One message is one line: a path with a line break in it forges none."""


def log_to_console() -> None:
    """Send log messages from INFO on to stderr, as printable lines; of processes that work together, the first one's.

    From the others come errors alone.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PrintableFormatter("%(message)s"))
    logging.basicConfig(level=logging.INFO if is_first_process() else logging.ERROR, handlers=[handler])


def tell_failure(program: str, reason: object) -> None:
    """Write why `program` ends as one line to stderr."""
    print(printable(f"{program}: {reason}"), file=sys.stderr)


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of any number of cells as lines of aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


@contextmanager
def printable_stdout() -> Iterator[None]:
    """Write out what does not print in all that the block prints."""
    with redirect_stdout(_PrintableStream(sys.stdout)):
        yield


class _PrintableFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        message = super().formatMessage(record)
        ours = record.name.partition(".")[0] in ("fieldguide", "stages", "__main__")
        return printable(message, keep="" if ours else LAYOUT)


class _PrintableStream(io.TextIOBase):
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(printable(text, keep=LAYOUT))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()
