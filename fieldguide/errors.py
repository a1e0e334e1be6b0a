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


class FieldguideError(Exception):
    """Base of every error that is the input's fault, not the program's."""


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
