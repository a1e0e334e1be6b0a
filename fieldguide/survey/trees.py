"""What lies in a folder or an archive: photos, files that are none, tables, folders without any photo."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.catalogue.sources.archives import archive_scheme, list_members
from fieldguide.catalogue.sources.left_out import LeftOut
from fieldguide.catalogue.sources.tables import READERS
from fieldguide.catalogue.sources.walking import SUFFIXES, SYSTEM_FOLDER, walk_folders

PICTURES = frozenset({".heic", ".heif", ".jp2", ".jxl", ".psd", ".dng", ".raw", ".nef", ".cr2", ".arw", ".orf"})
"""Endings of pictures that a `folders` source leaves out."""
TABLES = tuple(ending + packed for ending in READERS for packed in ("", ".gz"))


@dataclass(frozen=True)
class Tree:
    """The files below a root, by their paths from there, `/` between folders."""

    root: Path
    photos: tuple[str, ...]
    """Sorted; what a `folders` source takes for photos."""
    others: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By ending: how many files are neither photos nor tables nor hidden, and the first of them."""
    empty_folders: tuple[str, ...] = ()
    """The topmost folders without a photo at any depth."""
    tables: tuple[str, ...] = ()


def read_tree(root: Path) -> Tree:
    """Look through a folder, .tar, .tar.gz or .zip. Raises CatalogueError if it is none or cannot be read."""
    scheme = archive_scheme(root)
    if scheme:
        return sort_files(root, (name.removeprefix("./") for name in list_members(root, scheme)), ())
    files: list[str] = []
    folders: list[str] = []
    for below, names in walk_folders(root, LeftOut()):
        folders.append(below)
        files += (f"{below}/{name}" if below else name for name in names)
    return sort_files(root, files, folders[1:])


def sort_files(root: Path, files: Iterable[str], folders: Iterable[str]) -> Tree:
    """The tree of these files and folders below `root`."""
    photos, tables = [], []
    others: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for path in files:
        *within, name = path.split("/")
        suffix = Path(name).suffix.lower()
        if name.startswith(".") or any(map(SYSTEM_FOLDER.fullmatch, within)):
            continue
        if suffix in SUFFIXES:
            photos.append(path)
        elif name.lower().endswith(TABLES):
            tables.append(path)
        else:
            others[suffix][path] += 1
    holding = {above for folder in {path.rpartition("/")[0] for path in photos} for above in _with_parents(folder)}
    empty = {folder for folder in folders if folder not in holding}
    return Tree(
        root,
        tuple(sorted(photos)),
        {suffix: (paths.total(), min(paths)) for suffix, paths in sorted(others.items())},
        tuple(sorted(folder for folder in empty if folder.rpartition("/")[0] not in empty)),
        tuple(sorted(tables)),
    )


def _with_parents(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
