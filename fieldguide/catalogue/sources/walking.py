"""Which files below a folder, or among the members of an archive, are photos: by their names and where they lie.

Links that the owner of a folder made are followed, to folders too; every real folder is read once. What is left out is
counted by reason.
"""

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from fieldguide.catalogue.sources.left_out import LeftOut

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".avif"}
)
"""Endings of photos. Whether a file is what its name says is found out where it is decoded."""
SYSTEM_FOLDER = re.compile(r"[.@$#].*|__.*|lost\+found|system volume information|recycler", re.IGNORECASE)
"""Folders that programs make: .ipynb_checkpoints, @eaDir, $RECYCLE.BIN, #recycle, __MACOSX, ..."""
IN_SYSTEM_FOLDER = "file in a hidden or system folder"
READ_ALREADY = "folder that was read already"


def walk_folders(root: Path, left_out: LeftOut) -> Iterator[tuple[str, list[str]]]:
    """Each folder's path below `root`, `/` between folders and empty for `root` itself, and its files' names, sorted.

    Folders behind links come after the others, under the names of the links.
    """
    seen = {_identity(root)}
    links: deque[tuple[Path, str]] = deque()
    waiting = [(root, "")]
    while waiting or links:
        if not waiting:
            link, below = links.popleft()
            if reason := _why_not_follow(link, root, seen):
                left_out.note(reason, link)
                continue
            waiting.append((link, below))
        folder, below = waiting.pop()
        seen.add(_identity(folder))
        files = []
        folders = []
        for entry in _entries(folder, left_out):
            path = f"{below}/{entry.name}" if below else entry.name
            if not _is_true(entry.is_dir):
                if _is_true(entry.is_file):
                    files.append(entry.name)
                else:
                    left_out.note("broken link" if entry.is_symlink() else "entry that is no file", entry.path)
            elif SYSTEM_FOLDER.fullmatch(entry.name):
                _count_files(entry.path, left_out)
            elif entry.is_symlink():
                links.append((Path(entry.path), path))
            elif _identity(entry.path) in seen:
                left_out.note(READ_ALREADY, entry.path)
            else:
                folders.append((Path(entry.path), path))
        waiting += reversed(folders)
        yield below, files


def walk_photos(root: Path, left_out: LeftOut) -> Iterator[str]:
    """Paths of the photos below `root`, sorted within each folder."""
    for below, names in walk_folders(root, left_out):
        yield from pick_photos((f"{below}/{name}" if below else name for name in names), root, left_out)


def pick_photos(paths: Iterable[str], root: Path, left_out: LeftOut) -> Iterator[str]:
    """Those of `paths`, which lie below `root`, whose names are photos'."""
    for path in paths:
        if reason := why_no_photo(path):
            left_out.note(reason, root / path)
        else:
            yield path


def why_no_photo(path: str) -> str | None:
    """Why a file of this path is no photo; None if it is one by its name."""
    *folders, name = path.split("/")
    if any(map(SYSTEM_FOLDER.fullmatch, folders)):
        return IN_SYSTEM_FOLDER
    if name.startswith("."):
        return "hidden file"
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        return f"file that ends in {suffix}" if suffix else "file without an ending"
    try:
        path.encode()
    except UnicodeEncodeError:
        return "file whose name is not UTF-8"
    return None


def _entries(folder: Path, left_out: LeftOut) -> list[os.DirEntry[str]]:
    """What is in a folder, sorted by name."""
    try:
        with os.scandir(folder) as opened:
            return sorted(opened, key=lambda entry: entry.name)
    except OSError as error:
        left_out.note("folder that cannot be opened", f"{folder}: {error.strerror}")
        return []


def _is_true(question: Callable[[], bool]) -> bool:
    # Links in a circle, or into a folder that may not be opened, are nothing.
    try:
        return question()
    except OSError:
        return False


def _why_not_follow(link: Path, root: Path, seen: set[tuple[int, int]]) -> str | None:
    if root.resolve().is_relative_to(link.resolve()):
        return "link to a folder around its own"
    return READ_ALREADY if _identity(link) in seen else None


def _identity(folder: str | Path) -> tuple[int, int]:
    status = Path(folder).stat()
    return status.st_dev, status.st_ino


def _count_files(folder: str, left_out: LeftOut) -> None:
    num_files = sum(len(names) for _, _, names in os.walk(folder))
    if num_files:
        left_out.note(IN_SYSTEM_FOLDER, folder, num_files)
