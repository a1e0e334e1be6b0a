"""Where the teachers' answers stay after a run: `.cache/teachers/` of the main repository, up to `cache_gb`.

A folder holds what one teacher said, and its name is a digest of all that decides an answer beside the photo; so every
experiment with the same teachers and views finds what another has paid for, in whatever workspace. Runs may share a
folder at the same time: they read side by side, and write in turns. What was used longest ago makes room for what is
new, but nothing that a run in progress uses.
"""

import fcntl
import logging
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from fieldguide.errors import ParamsError
from fieldguide.files import remove_partials
from fieldguide.learn.checkpoint import take_up
from fieldguide.learn.fingerprint import Fingerprint, name_run

log = logging.getLogger(__name__)

FOLDER = Path(".cache/teachers")
LOCK, WRITER_LOCK = "lock", "writer.lock"
MARK = "used-{}.lock"
"""Says that a run uses the folder, as long as that run holds a lock on it."""
GB = 1e9


class AnswerCache:
    """The cache as one run uses it. Make it with `open_answer_cache`."""

    def __init__(self, root: Path, limit_gb: float, stack: ExitStack) -> None:
        self.root = root
        self._limit_gb, self._stack = limit_gb, stack
        self._own_mark = MARK.format(uuid.uuid4().hex)

    def use_folder(self, fingerprint: Fingerprint) -> Path:
        """The folder of one teacher; until the run ends nothing that it uses is removed there."""
        folder = self.root / name_run("teacher", fingerprint)
        with locked(self.root / LOCK):
            folder.mkdir(parents=True, exist_ok=True)
            mark = folder / self._own_mark
            if not mark.exists():
                self._stack.callback(mark.unlink, missing_ok=True)
                self._stack.enter_context(locked(mark))
        return folder

    @contextmanager
    def write_alone(self, folder: Path) -> Iterator[None]:
        """Inside, no other process writes into the folder; waits for one that does."""
        with locked(folder / WRITER_LOCK, f"waiting for another process that asks the teacher of {folder}"):
            remove_partials(folder)
            yield

    def make_room(self, needed: Mapping[Path, int]) -> None:
        """Remove what was used longest ago until the pieces of this run, `needed` by path with their bytes, fit in.

        Raises ParamsError where they alone are too large. Where other runs in progress leave too little, the cache
        grows past its limit, with one warning.
        """
        own, limit = sum(needed.values()), self._limit_gb * GB
        if own > limit:
            raise ParamsError(
                f"distill_student.cache_gb is {self._limit_gb:g}, but the teachers' answers to all views take "
                f"{own / GB:.3g} GB; expected at least that, fewer views, or cache.kind topk"
            )
        with locked(self.root / LOCK):
            others = [path for path in self.root.glob("*/*.npy") if path not in needed]
            total = own + sum(path.stat().st_size for path in others)
            used = {folder for folder in {path.parent for path in others} if self._is_used_by_others(folder)}
            for path in sorted(others, key=lambda path: path.stat().st_mtime):
                if total > limit and path.parent not in used:
                    total -= path.stat().st_size
                    path.unlink()
                    path.with_name(f"{path.name}.xxh3").unlink(missing_ok=True)
        if total > limit:
            log.warning(
                "%s grows to %.3g GB, past cache_gb %g: other runs are using the rest",
                self.root,
                total / GB,
                self._limit_gb,
            )
        for path in needed:
            if path.exists():
                take_up(path)

    def _is_used_by_others(self, folder: Path) -> bool:
        for mark in folder.glob(MARK.format("*")):
            if mark.name != self._own_mark:
                with mark.open("a") as stream:
                    if not _try_lock(stream):
                        return True
                mark.unlink()  # of a run that was killed
        return False


@contextmanager
def open_answer_cache(limit_gb: float) -> Iterator[AnswerCache]:
    """The cache of the main repository, for one run; `limit_gb` is its size, of 1e9 bytes."""
    # DVC_ROOT is the main repository, also in the temporary workspace of an experiment.
    root = Path(os.environ.get("DVC_ROOT", ".")) / FOLDER
    root.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        yield AnswerCache(root, limit_gb, stack)


@contextmanager
def locked(path: Path, waiting: str | None = None) -> Iterator[None]:
    """Hold the lock file `path`, which no process removes meanwhile; the kernel gives it back when its holder dies.

    Waits for another holder, and then says `waiting` in the log.
    """
    with path.open("a") as stream:
        if not _try_lock(stream):
            if waiting:
                log.info("%s", waiting)
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _try_lock(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
