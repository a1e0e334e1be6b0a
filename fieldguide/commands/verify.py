"""Recheck from its bytes what stages wrote: files against digests.json, photos in tars, records."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from fieldguide.digests import DIGESTS, checked, find_damage
from fieldguide.errors import FieldguideError
from fieldguide.records.verify import find_damaged_shards, verify_records
from fieldguide.tar import check_members

EVERYWHERE = ("interim", "models", "reports")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to check."""
    parser.add_argument("path", type=Path, nargs="*", help=f"files and folders; {', '.join(EVERYWHERE)} if left out")


def run(arguments: argparse.Namespace) -> None:
    """Print a line for every damaged file and for every folder that is whole.

    Raises FieldguideError if something is damaged, if a path is not there, or if nothing says what its bytes must be.
    """
    num_damaged = 0
    for path in arguments.path or [path for path in map(Path, EVERYWHERE) if path.is_dir()]:
        folders = [path] if path.is_file() else find_folders(path)
        if not folders:
            raise FieldguideError(f"{path}: no {DIGESTS} here or below, so nothing says what its bytes must be")
        for folder in folders:
            found = list(check_file(folder) if folder.is_file() else check_folder(folder))
            print("\n".join(map(str, found)) or f"{folder}: whole", flush=True)
            num_damaged += len(found)
    if num_damaged:
        raise FieldguideError(f"{num_damaged} damaged or missing, as listed above")


def find_folders(path: Path) -> list[Path]:
    """The outputs at or below `path`: folders with digests.json, and records that were copied without it.

    Raises FieldguideError if there is no such path.
    """
    if not path.is_dir():
        raise FieldguideError(f"{path} is missing; expected a file or a folder")
    return sorted({file.parent for pattern in (DIGESTS, "*.tfrecord") for file in path.rglob(pattern)})


def check_folder(folder: Path) -> Iterator[FieldguideError]:
    """An error for everything damaged or missing in one output; records are decoded where all bytes are right."""
    errors: list[FieldguideError] = [*find_damage(folder, missing=True)]
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


def check_file(path: Path) -> Iterator[FieldguideError]:
    """An error if one file is damaged."""
    try:
        if path.suffix == ".tar":
            check_members(path)
        elif path.suffix == ".tfrecord":
            yield from find_damaged_shards(path.parent, path.name)
        else:
            checked(path)
    except FieldguideError as error:
        yield error
