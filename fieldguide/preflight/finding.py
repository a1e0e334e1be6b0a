"""What a check says: a problem that would stop a later stage, or a note."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One line."""

    is_problem: bool
    text: str


def problem(text: object) -> Finding:
    """Something that would stop a later stage."""
    return Finding(is_problem=True, text=str(text))


def note(text: str) -> Finding:
    """Something to know."""
    return Finding(is_problem=False, text=text)
