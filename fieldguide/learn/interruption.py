"""SIGTERM and SIGINT in training: the step under way is finished and a checkpoint written before it ends.

Ctrl-C, a scheduler that takes its machine back and DVC all end a training so. A second signal does not wait.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """The signal that came, if one did."""

    def __init__(self) -> None:
        self.number = 0
        """0: none."""

    def end(self) -> None:
        """Leave as the signal would have made it: by KeyboardInterrupt, or with exit code 143."""
        if self.number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + self.number)


@contextmanager
def interruption_noted() -> Iterator[Interruption]:
    """Inside, the first SIGINT or SIGTERM is noted only; the next one does what it did before."""
    interruption = Interruption()
    before: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        interruption.number = number
        restore()

    for number in SIGNALS:
        # None: set by something other than Python, and not to be put back by it. What a process in the background was
        # started to ignore, it ignores.
        if (handler := signal.getsignal(number)) not in (None, signal.SIG_IGN):
            before[number] = handler
            signal.signal(number, note)
    try:
        yield interruption
    finally:
        restore()
