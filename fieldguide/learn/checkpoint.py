"""Where a run keeps what it needs to go on after a kill: `.cache/checkpoints/NAME` of the main repository.

Not among the stage's outputs: DVC deletes those before a stage runs, keeps a stage whose outputs persist out of its run
cache, and removes the workspaces of experiments. The name holds the run's fingerprint (fingerprint.py), so a folder can
only be taken up by a run that learns the same, in whatever workspace that is tried again; inside are its attempts
(attempts.py). Where several processes train together, the first one holds the folder and writes in it for all.
"""

import fcntl
import logging
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from weakref import WeakSet

from lightning_fabric import Fabric

from fieldguide.errors import TrainingError
from fieldguide.files import file_sha256, remove_partials, write_json, written_whole
from fieldguide.learn.attempts import KEEP_DAYS, POSITION_FILE, PREFIX, take_up_attempt
from fieldguide.learn.fingerprint import Fingerprint, Setting, describe_setting, name_run
from fieldguide.learn.training_params import Resume

log = logging.getLogger(__name__)

FOLDER = Path(".cache/checkpoints")
KEPT_FOLDER = Path(".cache/embeddings")
"""For what outlives its runs."""
LOCK_FILE = "lock"


@dataclass(frozen=True)
class RunFolder:
    """The folder of one attempt at a run, which no other run uses. Make it with `open_run_folder`."""

    path: Path

    def save(self, fabric: Fabric, state: dict[str, Any]) -> None:
        """Write the state of training (modules, optimisers, plain values) as `SHA256.ckpt`, whole or not at all.

        All processes that train together call it; the first one writes.
        """
        file = self.path / "new.ckpt"
        if not fabric.is_global_zero:
            fabric.save(file, state)  # writes nothing, and waits
            return
        earlier = self._checkpoints()
        with written_whole(file) as temporary:
            fabric.save(temporary, state)
        named = file.rename(self.path / f"{file_sha256(file)}.ckpt")
        write_json(self.path / POSITION_FILE, {name: state.get(name, 0) for name in ("epoch", "step")})
        for old in earlier:
            if old != named:
                old.unlink(missing_ok=True)  # a kill may have left the name that the new one had

    def load(self, fabric: Fabric) -> dict[str, Any] | None:
        """The newest state that is whole, None if there is none. A damaged one is set aside, with one log line."""
        file = fabric.broadcast(self._newest_whole() if fabric.is_global_zero else None)
        # weights_only: a checkpoint may hold tensors and plain values, never code.
        state: dict[str, Any] | None = fabric.load(file, weights_only=True) if file else None
        fabric.barrier()
        return state

    def _newest_whole(self) -> Path | None:
        for file in self._checkpoints():
            if file_sha256(file) == file.stem:
                return file
            if file.stem != "new":
                log.warning("%s is damaged and is set aside as %s.damaged", file, file.name)
                file.rename(file.with_name(f"{file.name}.damaged"))
        return None

    def _checkpoints(self) -> list[Path]:
        """Newest first."""
        return sorted(self.path.glob("*.ckpt"), key=lambda file: file.stat().st_mtime_ns, reverse=True)


@contextmanager
def open_run_folder(
    stage: str, fingerprint: Fingerprint, fabric: Fabric, resume: Resume = "exact", setting: Setting | None = None
) -> Iterator[RunFolder]:
    """The folder of this run, as an earlier attempt that `resume` allows left it; removed when the work is done.

    `setting` is that of this process, None: as it is now. Raises TrainingError while another process works on the very
    same run; where several train together the first one does, and the others leave with its exit code.
    """
    # DVC_ROOT is the main repository, also in the temporary workspace of an experiment.
    root = Path(os.environ.get("DVC_ROOT", ".")) / FOLDER
    run = root / name_run(stage, fingerprint)
    if not fabric.is_global_zero:
        path: Path | None = fabric.broadcast(None)
        if path is None:
            sys.exit(1)
        yield RunFolder(path)
        return
    stream = _lock(run)
    if stream is None:
        fabric.broadcast(None)
        raise TrainingError(f"{run} is in use: another process works on the very same run; wait for it, or stop it")
    with stream:
        prune(root)
        path = take_up_attempt(run, setting or describe_setting(fabric.world_size), resume)
        remove_partials(path)
        fabric.broadcast(path)
        yield RunFolder(path)
        shutil.rmtree(path)
        if not any(run.glob(f"{PREFIX}*")):
            shutil.rmtree(run)


@contextmanager
def open_kept_folder(stage: str, fingerprint: Fingerprint) -> Iterator[Path]:
    """A folder that outlives its runs: those with the same fingerprint share it, one after the other.

    Waits while another process has it. Goes as any folder does that nobody took up for KEEP_DAYS, and so does a file in
    it: `take_up` says that one was.
    """
    root = Path(os.environ.get("DVC_ROOT", ".")) / KEPT_FOLDER
    path = root / name_run(stage, fingerprint)
    if (stream := _lock(path)) is None:
        log.info("waiting for another process that works in %s", path)
        while (stream := _lock(path)) is None:
            time.sleep(1)
    with stream:
        take_up(path)
        remove_partials(path)
        prune(root)
        yield path
        for file in path.iterdir():
            if file.stat().st_mtime < _oldest():
                file.unlink()


def take_up(path: Path) -> None:
    """Say that a folder or a file is of use, so that it stays for another KEEP_DAYS."""
    os.utime(path)


def prune(root: Path) -> None:
    """Remove folders of runs that nobody works on and nobody took up for KEEP_DAYS."""
    for folder in root.iterdir():
        if folder.is_dir() and _last_use(folder) < _oldest() and (stream := _lock(folder)):
            with stream:
                log.info("removing %s, which nobody took up for %d days", folder, KEEP_DAYS)
                shutil.rmtree(folder)


def _last_use(folder: Path) -> float:
    """That of its attempts counts, too: a checkpoint changes their folder, not the one above."""
    return max(path.stat().st_mtime for path in (folder, *folder.glob(f"{PREFIX}*")))


def _oldest() -> float:
    return time.time() - KEEP_DAYS * 86_400


_held: WeakSet[IO[str]] = WeakSet()
"""Locks of this process. One that it forks would hold them, too, and so for seconds after this one was killed."""


def _let_go() -> None:
    for stream in list(_held):
        stream.close()


os.register_at_fork(after_in_child=_let_go)


def _lock(folder: Path) -> IO[str] | None:
    """Its open lock file, None if another process holds it; the kernel gives it back when its holder dies."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            stream = (folder / LOCK_FILE).open("a")
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The last holder may have removed the folder between our opening and our locking.
            if (folder / LOCK_FILE).stat().st_ino == os.fstat(stream.fileno()).st_ino:
                _held.add(stream)
                return stream
        except BlockingIOError:
            stream.close()
            return None
        except FileNotFoundError:
            pass
        stream.close()
