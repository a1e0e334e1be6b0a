"""Decide about photos whose label is suspect: clean drops them, or gives them another label, from now on.

WHAT is a .csv with decisions, as the page reports/embed/index.html saves it or a copy of reports/embed/suspects.csv
with its last column filled in; or a photo id, and then DECISION: drop, relabel:NEW LABEL, or forget, which takes an
earlier decision back. Decisions go into decisions.csv, later ones in the place of earlier ones.
"""

import argparse
from pathlib import Path

import polars as pl

from fieldguide.clean.decisions import (
    ALLOWED,
    DECISIONS_LIST,
    PHOTO_ID,
    Decisions,
    parse_decision,
    read_choices,
    read_decisions,
    write_decisions,
)
from fieldguide.errors import CatalogueError

CATALOGUE = Path("interim/fetch/catalogue.parquet")
TAKE_BACK = "forget"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is decided."""
    parser.add_argument("what", metavar="WHAT", help="a .csv with decisions, or a photo id")
    parser.add_argument("decision", metavar="DECISION", nargs="?", help="for a photo id: drop, relabel:LABEL or forget")


def run(arguments: argparse.Namespace) -> None:
    """Change the list; say what it holds and what to do next."""
    num_new, decisions = decide(arguments.what, arguments.decision)
    num_dropped = len(decisions.dropped)
    print(
        f"{DECISIONS_LIST}: {num_new} decisions new or changed; now {num_dropped} photos to drop, "
        f"{len(decisions.new_labels)} to relabel\n"
        f"Next: git commit {DECISIONS_LIST}, then dvc repro"
    )


def decide(what: str, decision: str | None, root: Path = Path()) -> tuple[int, Decisions]:
    """Write the list; return how many lines are new or changed, and the list.

    Raises CatalogueError, and changes nothing, where the photo or the word is unknown.
    """
    before = read_decisions(root / DECISIONS_LIST)
    after = dict(before.of_photo)
    if decision == TAKE_BACK:
        if after.pop(what, None) is None:
            raise CatalogueError(f"nothing is decided about {what!r}; expected a photo of {DECISIONS_LIST}")
    else:
        added = _understand(what, decision)
        if (root / CATALOGUE).exists():
            added.check(pl.read_parquet(root / CATALOGUE, columns=["photo_id", "label"]))
        after |= added.of_photo
    write_decisions(root / DECISIONS_LIST, decisions := Decisions(after, {}))
    return len(dict(after.items() ^ before.of_photo.items())), decisions


def _understand(what: str, decision: str | None) -> Decisions:
    if decision is None:
        if PHOTO_ID.fullmatch(what):
            raise CatalogueError(f"photo {what} needs a decision; expected {ALLOWED}, or {TAKE_BACK}")
        return read_choices(Path(what))
    if not PHOTO_ID.fullmatch(what):
        raise CatalogueError(f"{what!r} is no photo id; expected 16 hexadecimal digits")
    return Decisions({what: parse_decision(decision, "", what)}, {what: what})
