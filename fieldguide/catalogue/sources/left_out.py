"""What a source leaves out: counted by reason, with the first of each, and said once at the end.

A bad row among good ones is data, not the end of a stage; a source of which nothing is left is an error.
"""

import logging
from collections import Counter
from collections.abc import Iterator

from fieldguide.catalogue.rows import Row
from fieldguide.errors import CatalogueError

log = logging.getLogger(__name__)

BAD_ROW = "bad row"
"""Of these the example is the whole message: what, where, got and allowed."""
MOST_REASONS = 12
"""Reasons that are said; an odd tree has as many endings as files."""
LONGEST_EXAMPLE = 300


class LeftOut:
    """Counts by reason. Reasons are singular and follow a number: `3 x without a URL`."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def note(self, reason: str, example: object, count: int = 1) -> None:
        """Count what is left out for `reason`; `example` says which, or where it stands."""
        self._counts[reason] += count
        if reason not in self._examples:
            # Names of files need not be UTF-8, and the log is.
            text = str(example).encode(errors="backslashreplace").decode()
            self._examples[reason] = text if len(text) <= LONGEST_EXAMPLE else f"{text[:LONGEST_EXAMPLE]}..."

    @property
    def total(self) -> int:
        """All that was left out."""
        return self._counts.total()

    def __str__(self) -> str:
        # Sorted by count, then in the order of appearance: the same for every run.
        said = [f"{count} x {reason} ({self._examples[reason]})" for reason, count in self._counts.most_common()]
        rest = [f"{len(said) - MOST_REASONS} more reasons"] if len(said) > MOST_REASONS else []
        return "; ".join([*said[:MOST_REASONS], *rest])

    def report(self, rows: Iterator[Row], source: str) -> Iterator[Row]:
        """`rows` as they are; after the last of them the log says what was left out.

        Raises CatalogueError if there was no row at all.
        """
        num_rows = 0
        for row in rows:
            num_rows += 1
            yield row
        if not num_rows:
            raise CatalogueError(f"{source}: no photo found" + (f"; left out {self}" if self.total else ""))
        if self.total:
            log.warning("%s: %d photos; left out %s", source, num_rows, self)
