"""Files of sources that DVC does not see, because they lie outside data/: what they looked like when fetch read them.

DVC knows a folder by the bytes of all its files, which would be read anew in every clone. Here a folder is known by the
names, sizes and times of its files. fetch writes that into outside/sources.yaml, on which it depends; before each
`dvc repro` outside/dvc.yaml looks again (`python -m fieldguide.fetch.outside outside/sources.yaml`), and if the file
then differs, fetch runs.
"""

import os
import stat
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import xxhash
import yaml

from fieldguide.console import printable_stdout, tell_failure
from fieldguide.errors import CatalogueError, FieldguideError
from fieldguide.files import written_whole

HEADER = """\
# What files of sources outside data/ looked like when they were last read. Written by fetch, and by each `dvc repro`
# before it: commit this file as you commit dvc.lock. `watched` says whether there is anything to look at.
"""


@dataclass(frozen=True)
class Look:
    """What a file or a folder, with all that is in it, looks like from without."""

    files: int
    bytes: int
    digest: str
    """Of the names, sizes and times of all files, as 32 hexadecimal digits; `absent` if there is nothing."""


def look_at(path: Path) -> Look:
    """What `path` looks like now. Links are followed; names that begin with a dot are left out, as sources do."""
    digest, files, size = xxhash.xxh3_128(), 0, 0
    if not _is_there(path):
        return Look(files, size, "absent")
    for name, status in _walk(path):
        digest.update(b"%s\0%d %d\n" % (os.fsencode(name), status.st_size, status.st_mtime_ns))
        files, size = files + 1, size + status.st_size
    return Look(files, size, digest.hexdigest())


def outside(paths: Iterable[Path], data: Path) -> list[Path]:
    """Those of `paths` that DVC does not see as a part of `data`, and linked folders below the others, each once."""
    found: dict[Path, None] = {}
    for path in paths:
        # A path may lead into an archive.
        file = next((parent for parent in path.parents if _is_there(parent) and parent.is_file()), path)
        if _is_seen(file, data):
            found |= dict.fromkeys(_linked_folders(file))
        else:
            found[file] = None
    return [path for path in found if not any(parent in found for parent in path.parents)]


def write_looks(paths: Iterable[Path], file: Path) -> dict[str, Look]:
    """Look at `paths`, write what was seen to `file` if it differs from what is there, and return it by path."""
    looks = {str(path): look_at(path) for path in paths}
    content = {"watched": ["sources"] if looks else [], "sources": {path: asdict(look) for path, look in looks.items()}}
    if not file.exists() or yaml.safe_load(file.read_text(encoding="utf-8")) != content:
        text = HEADER + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
        with written_whole(file) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return looks


def look_again(file: Path) -> dict[str, Look]:
    """Look at all that `file` names and bring it up to date. Raises CatalogueError if it is not what fetch writes."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise CatalogueError(f"{file} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(content, Mapping) or not isinstance(content.get("sources"), Mapping):
        raise CatalogueError(f"{file} has no `sources`; expected what fetch writes: git checkout {file}")
    return write_looks(map(Path, content["sources"]), file)


def describe(looks: Mapping[str, Look]) -> str:
    """`/home/me/photos (3,676 files, 812.3 MB)`, of each."""
    return ", ".join(f"{path} ({look.files:,} files, {look.bytes / 1e6:.1f} MB)" for path, look in looks.items())


def _walk(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every file at or below `path` with its name relative to it, in the order of names."""
    status = path.stat()
    if not stat.S_ISDIR(status.st_mode):
        yield "", status
        return
    # A folder in which the repository lies would change with everything that stages write.
    here = [Path(folder).stat() for folder in (".", os.environ.get("DVC_ROOT") or ".")]
    yield from _walk_folder(str(path), "", {_identity(status)} | {_identity(each) for each in here})


def _walk_folder(folder: str, prefix: str, passed: set[tuple[int, int]]) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda each: each.name)
    except OSError:
        return
    for entry in listed:
        try:
            status = entry.stat()
        except OSError:  # a link to nothing
            continue
        name = f"{prefix}{entry.name}"
        if not stat.S_ISDIR(status.st_mode):
            yield name, status
        elif _identity(status) not in passed:
            # Each folder once, so that links in a circle end.
            passed.add(_identity(status))
            yield from _walk_folder(entry.path, f"{name}/", passed)


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _is_seen(path: Path, data: Path) -> bool:
    """Whether DVC sees `path` as a part of `data`: it does not follow links to folders."""
    # Not resolved: what matters is which links lead there.
    inside, top = (Path(os.path.abspath(each)) for each in (path, data))  # noqa: PTH100
    return inside.is_relative_to(top) and not any(_is_link(each, top) for each in (inside, *inside.parents))


def _is_link(path: Path, top: Path) -> bool:
    return path != top and path.is_relative_to(top) and path.is_symlink() and path.is_dir()


def _linked_folders(root: Path) -> Iterator[Path]:
    for folder, names, _ in os.walk(root):
        yield from (Path(folder, name) for name in sorted(names) if Path(folder, name).is_symlink())
        names.sort()


def main(arguments: Collection[str]) -> None:
    """Look again at what the file named on the command line holds."""
    (file,) = arguments
    try:
        with printable_stdout():
            print(describe(look_again(Path(file))))
    except FieldguideError as error:
        tell_failure("outside", error)
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
