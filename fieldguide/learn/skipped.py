"""Which training photos could not be had, and when: a file that all processes of a run share and a resumed run finds.

A line is `view index reason`. It stands for one showing of a photo, in one epoch: the next epoch asks again, as a
server may be back. A resumed run skips the very same showings without asking, so it goes on as it would have. (But
where one epoch draws a photo twice, has it the first time and not the second, and is killed between them.)
"""

import os
from collections import Counter
from pathlib import Path

from fieldguide.errors import PhotoError
from fieldguide.learn.dataset import Key

REASONS = {
    "unknown": "not in the catalogue",
    "changed": "another file than the records were made of",
    "out_of_reach": "gone, changed or out of reach",
    "undecodable": "no photo",
}
"""Word in the file, and what it says to people."""


class SkippedPhotos:
    """The showings that are skipped. Raises PhotoError where they are of more photos than allowed."""

    def __init__(self, path: Path, num_photos: int, max_failure_rate: float) -> None:
        """`num_photos` are learnt from; `max_failure_rate` is the share of them that may be skipped at some time."""
        self._path, self._num_photos, self._max_failure_rate = path, num_photos, max_failure_rate
        self._reasons: dict[Key, str] = {}
        self._photos: set[int] = set()
        self._num_read = 0
        path.touch()
        self._catch_up()

    def __contains__(self, key: Key) -> bool:
        return key in self._reasons

    @property
    def num_photos(self) -> int:
        """Photos that were skipped at least once, by any process."""
        self._catch_up()
        return len(self._photos)

    def add(self, key: Key, reason: str) -> None:
        """Skip this showing, now and whenever the run is taken up."""
        view, index = key
        # One write of one line at the end: processes do not cut each other's.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.write(descriptor, f"{view} {index} {reason}\n".encode())
        finally:
            os.close(descriptor)
        self._catch_up()
        if len(self._photos) > self._max_failure_rate * self._num_photos:
            counts = Counter({index: reason for (_, index), reason in self._reasons.items()}.values())
            tops = ", ".join(f"{count} {REASONS[reason]}" for reason, count in counts.most_common(3))
            raise PhotoError(
                f"{len(self._photos)} of {self._num_photos} training photos cannot be had ({tops}); expected at most "
                f"max_failure_rate {self._max_failure_rate:g} of them. Run again when they can, or with a higher rate"
            )

    def _catch_up(self) -> None:
        """Read what came since, from other processes too."""
        with self._path.open("rb") as stream:
            stream.seek(self._num_read)
            # A killed process may have left half a line.
            content = stream.read().rpartition(b"\n")[0]
        for line in content.splitlines():
            words = line.decode(errors="replace").split()
            if len(words) == 3 and words[0].isdigit() and words[1].isdigit() and words[2] in REASONS:
                key = (int(words[0]), int(words[1]))
                self._reasons[key] = words[2]
                self._photos.add(key[1])
        self._num_read += len(content) + 1 if content else 0
