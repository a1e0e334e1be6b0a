"""What a file's bytes must be: written when they are, checked when they are read.

Every stage leaves `digests.json` in each folder it wrote, last of all; before a stage starts, the folders it reads are
held to theirs. Containers are not listed, because only a part of them may be read: a member of a tar carries its digest
in its header (tar.py), a record of a TFRecord shard its crc (records/example.py), and their readers check each one.

The digest is xxh3 (64 bit): random damage escapes it once in 2^64, and it is faster than any disk.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import xxhash
from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from fieldguide.errors import RecordError
from fieldguide.files import written_whole

DIGESTS: Final = "digests.json"
CONTAINERS: Final = (".tar", ".tfrecord")
"""Endings of files whose readers check every part that they read."""
THREADS: Final = min(4, os.cpu_count() or 1)
"""Hashing lets go of Python's lock; more threads than this only wait for the disk."""
REMEDY: Final = "delete it and force the stage that wrote it (dvc.yaml) to run again, or bring a good copy"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileDigest(_Frozen):
    """The bytes of one file."""

    num_bytes: NonNegativeInt
    xxh3: str
    """16 hexadecimal digits."""

    @classmethod
    def of(cls, path: Path) -> "FileDigest":
        """The digest of a file as it is now."""
        with path.open("rb") as stream:
            xxh3 = hashlib.file_digest(stream, xxhash.xxh3_64).hexdigest()
            return cls(num_bytes=stream.tell(), xxh3=xxh3)


class Digests(_Frozen):
    """digests.json: the files of one folder and the stage that wrote them."""

    stage: str
    """As `dvc repro` takes it: `train-teacher@global`."""
    files: dict[str, FileDigest]
    """By path below the folder."""
    xxh3: str = ""
    """Of all that stands above it."""

    def sealed(self) -> "Digests":
        """The same with its own digest."""
        return self.model_copy(update={"xxh3": bytes_xxh3(self.model_copy(update={"xxh3": ""}).encoded())})

    def encoded(self) -> bytes:
        """The bytes of the file."""
        return self.model_dump_json(indent=1).encode() + b"\n"

    @classmethod
    def read(cls, folder: Path) -> "Digests | None":
        """`folder/digests.json`, None if there is none. Raises RecordError where it is damaged itself."""
        path = folder / DIGESTS
        try:
            content = path.read_bytes()
            digests = cls.model_validate_json(content)
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise RecordError(f"{path} is damaged: {error.errors()[0]['msg']}; {REMEDY}") from None
        if digests.sealed().encoded() != content:
            raise RecordError(f"{path} is damaged: its digest is not that of its content; {REMEDY}")
        return digests


def bytes_xxh3(content: bytes | memoryview) -> str:
    """The digest of bytes in memory: 16 hexadecimal digits."""
    return xxhash.xxh3_64_hexdigest(content)


def remedy(path: Path) -> str:
    """What helps against damage to a file; it names the stage where a digests.json above the file does."""
    try:
        governing = _governing(path)
    except RecordError:
        governing = None
    if governing is None:
        return REMEDY
    return f"delete it and run `dvc repro --force {governing[1].stage}`, or bring a good copy"


def damage(path: Path, what: str) -> RecordError:
    """The error for a damaged file: what is wrong with it, and what helps."""
    return RecordError(f"{path} is damaged: {what}; {remedy(path)}")


def write_digests(folder: Path, stage: str) -> None:
    """Write `folder/digests.json` for every file below `folder` that is no container; equal files give equal bytes."""
    paths = [path for path in _walk(folder) if path.suffix not in CONTAINERS]
    with ThreadPoolExecutor(THREADS) as pool:
        found = dict(zip((_name(path, folder) for path in paths), pool.map(FileDigest.of, paths), strict=True))
    with written_whole(folder / DIGESTS) as temporary:
        temporary.write_bytes(Digests(stage=stage, files=found).sealed().encoded())


def check_folder(folder: Path) -> None:
    """Raise RecordError, naming the first file below `folder` that is not as its digests.json says.

    A folder without digests.json is taken as it is, and so is a file that is not listed or not there: those who pulled
    a part of an output may use that part, and a reader says itself what it misses.
    """
    for error in find_damage(folder):
        raise error


def find_damage(folder: Path, *, missing: bool = False) -> Iterator[RecordError]:
    """An error for every damaged file of one folder; with `missing` for those that are listed and not there, too."""
    try:
        digests = Digests.read(folder)
    except RecordError as error:
        yield error
        return
    if digests is None:
        return
    listed = {folder / name: expected for name, expected in digests.files.items()}
    present = [path for path in listed if path.is_file()]
    with ThreadPoolExecutor(THREADS) as pool:
        # Hashed side by side, named in the order of the list.
        for path, found in zip(present, pool.map(FileDigest.of, present), strict=True):
            if found != listed[path]:
                yield damage(path, describe_difference(found, listed[path]))
    if missing:
        for path in listed.keys() - set(present):
            yield RecordError(f"{path} is missing; run `dvc repro --force {digests.stage}`, or bring a good copy")


def checked(path: Path) -> Path:
    """`path`, after its bytes were held to the digests.json of its folder or of one above; unlisted files pass.

    For those who read a file outside of a stage. Raises RecordError.
    """
    if governing := _governing(path):
        folder, digests = governing
        expected = digests.files.get(_name(path, folder))
        if expected and path.is_file() and (found := FileDigest.of(path)) != expected:
            raise damage(path, describe_difference(found, expected))
    return path


def discard_damaged(folder: Path) -> list[Path]:
    """Delete and return what is damaged of an output that is to be extended; then its digests.json, soon outdated."""
    damaged = []
    try:
        digests = Digests.read(folder)
    except RecordError:
        digests = None
    for name, expected in digests.files.items() if digests else ():
        path = folder / name
        if path.is_file() and FileDigest.of(path) != expected:
            path.unlink()
            damaged.append(path)
    (folder / DIGESTS).unlink(missing_ok=True)
    return damaged


def seal(path: Path) -> None:
    """Write the digest of a file that a killed run is to find again as `PATH.xxh3` beside it."""
    with written_whole(_seal_of(path)) as temporary:
        temporary.write_text(FileDigest.of(path).model_dump_json())


def is_sealed(path: Path) -> bool:
    """Whether a file is there and is the one that was sealed."""
    try:
        return FileDigest.of(path) == FileDigest.model_validate_json(_seal_of(path).read_bytes())
    except (FileNotFoundError, ValidationError):
        return False


def _seal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.xxh3")


def describe_difference(found: FileDigest, expected: FileDigest) -> str:
    """In what the bytes differ."""
    if found.num_bytes != expected.num_bytes:
        return f"it has {found.num_bytes} bytes, {DIGESTS} says {expected.num_bytes}"
    return f"its xxh3 is {found.xxh3}, {DIGESTS} says {expected.xxh3}"


def _governing(path: Path) -> tuple[Path, Digests] | None:
    """The nearest folder above `path` with digests.json, and what that says."""
    for folder in path.parents:
        if digests := Digests.read(folder):
            return folder, digests
    return None


def _walk(folder: Path) -> list[Path]:
    """The files below `folder` in the order of their names; those that are hidden are nobody's output."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != DIGESTS)
    return sorted(path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
