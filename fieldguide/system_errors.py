"""Tells what the operating system refuses because of the user's paths or machine from what is a bug of ours."""

import errno
from collections.abc import Iterable
from pathlib import Path

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


def describe_system_error(error: OSError, named: Iterable[Path]) -> str | None:
    """`No space left on device: interim/fetch`, if it is for the user to mend; None if it is a bug.

    A path that is missing or of the wrong kind is the user's only where it is one of `named`, those of the command line
    and of the parameters, or lies in one that is not there.
    """
    if error.errno is None:
        return None
    path = Path(error.filename) if isinstance(error.filename, str) else None
    if error.errno in OF_THE_MACHINE:
        return f"{error.strerror}: {path}" if path else error.strerror
    if path is None:
        return None
    if error.errno in OF_RIGHTS or any(path == each or _lies_in_nothing(path, each) for each in named):
        return f"{error.strerror}: {path}"
    return None


def _lies_in_nothing(path: Path, named: Path) -> bool:
    return named in path.parents and not named.is_dir()
