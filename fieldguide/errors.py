"""Errors a user can act on.

FieldguideError
├── ParamsError      params.yaml or a command-line option is wrong
├── CatalogueError   a source, a row or a taxonomy cannot be read
├── PhotoError       too many photos cannot be fetched or decoded
├── RecordError      a shard, an index or a manifest is damaged
├── TrainingError    a network cannot be built, loaded, trained or resumed
└── ExportError      the bundle cannot be made or differs from the student

A message says what, where, got and allowed, on one line. `run_stage` prints it and exits with 1;
any other exception is a bug and keeps its traceback. A single bad photo is never an exception but a
row with a status.
"""

from fieldguide.text import printable

LONGEST_MESSAGE = 2_000
LONGEST_VALUE = 200


class FieldguideError(Exception):
    """Base of every error that is the input's fault, not the program's.

    A message repeats what was found, which may be meant to harm: it becomes one line of printable characters, and a
    long one loses its middle.
    """

    def __init__(self, message: str) -> None:
        super().__init__(shorten(printable(message.strip()), LONGEST_MESSAGE))


class ParamsError(FieldguideError):
    """params.yaml or a command-line option is wrong."""


class CatalogueError(FieldguideError):
    """A source, a row of it or a taxonomy cannot be read."""


class PhotoError(FieldguideError):
    """More photos than allowed cannot be fetched or decoded."""


class RecordError(FieldguideError):
    """A shard, an index or a manifest is damaged."""


class TrainingError(FieldguideError):
    """A network cannot be built, loaded, trained or resumed."""


class ExportError(FieldguideError):
    """The bundle cannot be made, or its answers differ from the student's."""


def shorten(text: str, longest: int) -> str:
    """`text`, or its beginning and its end if it has more than `longest` characters."""
    if len(text) <= longest:
        return text
    mark = f" ... {len(text):,} characters ... "
    kept = longest - len(mark)
    return text[: kept - kept // 4] + mark + text[len(text) - kept // 4 :]


def show_value(value: object) -> str:
    """What was got, as Python writes it, short enough to stand in a message."""
    try:
        return shorten(repr(value), LONGEST_VALUE)
    except ValueError:  # an integer of more digits than Python writes
        return f"a {type(value).__name__} too long to show"
