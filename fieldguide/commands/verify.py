"""Recheck from its bytes what stages wrote: files against digests.json, photos in tars, records."""

import argparse
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fieldguide.digests import DIGESTS, Digests, checked, find_damage, remedy
from fieldguide.errors import FieldguideError, RecordError
from fieldguide.fetch.reading import STREAM
from fieldguide.records.verify import find_damaged_shards, verify_records
from fieldguide.tar import check_members

EVERYWHERE = ("interim", "models", "reports")
BY_MEMBERS = (".tar", ".tfrecord")
"""Endings of files that carry the digests of their parts."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to check."""
    parser.add_argument("path", type=Path, nargs="*", help=f"files and folders; {', '.join(EVERYWHERE)} if left out")


def run(arguments: argparse.Namespace) -> None:
    """Print a line for every damaged file and for every folder that is whole.

    Raises FieldguideError if something is damaged, if a path is not there, or if nothing says what its bytes must be.
    """
    num_damaged = 0
    paths = arguments.path or [path for path in map(Path, EVERYWHERE) if path.is_dir() and find_outputs(path)]
    for path in paths:
        for place in find_places(path):
            found = list(check_file(place) if place.is_file() else check_folder(place))
            print("\n".join(map(str, found)) or f"{place}: whole", flush=True)
            num_damaged += len(found)
    if num_damaged:
        raise FieldguideError(f"{num_damaged} damaged or missing, or without digests, as listed above")


def find_places(path: Path) -> list[Path]:
    """What is checked by itself: a file, a part of an output, or the outputs at or below `path`.

    Raises FieldguideError if there is no such path, or if nothing says what its bytes must be.
    """
    if path.is_file():
        return [path]
    if places := [*find_outputs(path), *find_unsworn(path)]:
        return places
    if not any(_is_sworn(file) for file in path.rglob("*") if file.is_file()):
        raise FieldguideError(f"{path}: no {DIGESTS} here, below or above, so nothing says what its bytes must be")
    return [path]


def find_outputs(path: Path) -> list[Path]:
    """The outputs at or below `path`: folders with digests.json, and records that were copied without it.

    Raises FieldguideError if there is no such path.
    """
    if not path.is_dir():
        raise FieldguideError(f"{path} is missing; expected a file or a folder")
    return sorted({file.parent for pattern in (DIGESTS, "*.tfrecord") for file in path.rglob(pattern)})


def find_unsworn(path: Path) -> list[Path]:
    """The folders in `path`, where that holds outputs, that hold files of which no digests.json speaks."""
    outputs = set(find_outputs(path))
    if not outputs or path in outputs:
        return []
    folders = [folder for folder in sorted(path.iterdir()) if folder.is_dir() and not folder.name.startswith(".")]
    return [folder for folder in folders if not find_outputs(folder) and any(folder.rglob("*.*"))]


def check_folder(folder: Path) -> Iterator[FieldguideError]:
    """An error for everything damaged or missing in one output; records are decoded where all bytes are right."""
    if not (folder / DIGESTS).exists() and not any(folder.glob("*.tfrecord")):
        # A part of an output, or none.
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                yield from check_file(file)
        return
    errors: list[FieldguideError] = [*find_damage(folder, missing=True), *find_missing_shards(folder)]
    for tar in sorted(folder.rglob("*.tar")):
        errors += check_file(tar)
    if any(folder.glob("*.tfrecord")):
        try:
            errors += find_damaged_shards(folder)
            if not errors:
                verify_records(folder)
        except FieldguideError as error:
            errors.append(error)
    yield from errors


def find_missing_shards(folder: Path) -> Iterator[FieldguideError]:
    """An error for every tar that is not there, though a ledger of fetch or the manifest of resize speaks of it."""
    expected = [folder / "shards" / f"{ledger.stem}.tar" for ledger in sorted(folder.glob("ledger/*.parquet"))]
    if (folder / STREAM).exists():
        expected = []
    with suppress(FileNotFoundError, ValueError):  # what is damaged is told by its digest
        expected += [
            folder / name for name in json.loads((folder / "manifest.json").read_bytes()).get("num_photos", {})
        ]
    for tar in expected:
        if not tar.exists():
            yield RecordError(f"{tar} is missing; {remedy(tar)}")


def check_file(path: Path) -> Iterator[FieldguideError]:
    """An error if one file is damaged, or if nothing says what its bytes must be."""
    try:
        if path.suffix == ".tar":
            check_members(path)
        elif path.suffix == ".tfrecord":
            yield from find_damaged_shards(path.parent, path.name)
        elif path.name == DIGESTS:
            Digests.read(path.parent)
        elif _is_sworn(path):
            checked(path)
        else:
            yield RecordError(f"{path}: no {DIGESTS} speaks of it, so nothing says what its bytes must be")
    except FieldguideError as error:
        yield error


def _is_sworn(path: Path) -> bool:
    """Whether the nearest digests.json above a file lists it, or the file carries digests of its own."""
    if path.suffix in BY_MEMBERS or path.name == DIGESTS:
        return True
    for folder in path.parents:
        if (folder / DIGESTS).exists():
            try:
                digests = Digests.read(folder)
            except RecordError:
                return True  # told when it is checked
            return digests is not None and path.relative_to(folder).as_posix() in digests.files
    return False
