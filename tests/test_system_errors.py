"""Which errors of the operating system are for the user to mend."""

import errno
import os
from pathlib import Path

import pytest

from fieldguide.system_errors import describe_system_error

NAMED = [Path("data"), Path("gone"), Path("/photos/table.csv")]


@pytest.mark.parametrize(
    ("number", "filename", "line"),
    [
        (errno.ENOENT, "gone", "No such file or directory: gone"),
        (errno.ENOENT, "gone/deep/x.tar", "No such file or directory: gone/deep/x.tar"),
        (errno.ENOENT, "/photos/table.csv", "No such file or directory: /photos/table.csv"),
        (errno.EISDIR, "/photos/table.csv", "Is a directory: /photos/table.csv"),
        (errno.ENOENT, "data/typo.parquet", None),
        (errno.ENOENT, "gone.txt", None),
        (errno.ENOENT, None, None),
        (errno.EEXIST, "interim", None),
        (errno.EBADF, None, None),
        (errno.ECONNREFUSED, None, None),
        (errno.EACCES, "/root/secret", "Permission denied: /root/secret"),
        (errno.EPERM, None, None),
        (errno.ENOSPC, None, "No space left on device"),
        (errno.ENOSPC, "interim/x", "No space left on device: interim/x"),
        (errno.EROFS, "interim/x", "Read-only file system: interim/x"),
        (errno.EMFILE, "interim/x", "Too many open files: interim/x"),
        (None, None, None),
    ],
)
def test_who_can_mend_it(tmp_path: Path, monkeypatch, number: int | None, filename: str | None, line: str | None):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    error = OSError(number, os.strerror(number), filename) if number else OSError("a library's own")
    assert describe_system_error(error, NAMED) == line
