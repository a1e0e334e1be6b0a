"""Tells what the operating system refuses because of the user's paths or machine from what is a bug of ours."""

import errno
from collections.abc import Iterable
from pathlib import Path

from fieldguide.errors import RecordError

OF_THE_MACHINE = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EROFS,
        errno.EIO,
        errno.ESTALE,
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
    }
)
"""Disks that are full, read-only or failing, memory and open files: whatever was asked for could not be done here."""
OF_RIGHTS = frozenset({errno.EACCES, errno.EPERM})


def required(path: Path, stage: str) -> Path:
    """`path`, a file that `stage` writes. Raises RecordError, saying what to run, if it is not there."""
    if not path.is_file():
        raise RecordError(f"{path} is missing; run the {stage} stage first (`dvc repro {stage}`), or bring a copy")
    return path


def describe_system_error(error: OSError, named: Iterable[Path]) -> str | None:
    """`No space left on device: interim/fetch`, if it is for the user to mend; None if it is a bug.

    A path that is missing or of the wrong kind is the user's only where it is one of `named`, those of the command line
    and of the parameters, lies in one that is no folder, or is a file above one.
    """
    if error.errno is None:
        return None
    # Of two, the second is where something was to be moved.
    filename = error.filename2 or error.filename
    path = Path(filename) if isinstance(filename, str | Path) else None
    if error.errno in OF_THE_MACHINE:
        return f"{error.strerror}: {path}" if path else error.strerror
    if path is None:
        return None
    if error.errno in OF_RIGHTS or any(_is_about(path, each) for each in named):
        return f"{error.strerror}: {path}"
    return None


def _is_about(path: Path, named: Path) -> bool:
    if named in path.parents:
        return not named.is_dir()
    return path == named or (path in named.parents and path.exists() and not path.is_dir())
