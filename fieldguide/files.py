"""Files that are either whole or absent, and the digests that name their content."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from fieldguide.text import escape_unprintable


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` on success, remove it on failure.

    A hard kill leaves the temporary name behind: `remove_partials` clears it on the next run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_partials(directory: Path) -> None:
    """Delete what a killed run left half-written below `directory`."""
    for partial in directory.rglob(".*.partial"):
        partial.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented UTF-8 JSON, keys in the order given, whole or not at all."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    # What does not print stands only within strings, where JSON has an escape for it.
    text = escape_unprintable(text, _json_escape, keep="\n")
    with written_whole(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[start : start + 2].hex()}" for start in range(0, len(units), 2))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def salted_unit(salt: str, key: str) -> float:
    """A number in [0, 1) that depends on nothing but `salt` and `key`, uniform over keys.

    Splits and shuffles compare these, so that photos that come later never move earlier ones.
    """
    digest = hashlib.sha256(f"{salt}\0{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def salted_units(salt: str, keys: Iterable[str]) -> npt.NDArray[np.float64]:
    """`salted_unit` of many keys, in less than half the time: float64 [num_keys]."""
    before = f"{salt}\0".encode()
    digests = b"".join([hashlib.sha256(before + key.encode()).digest() for key in keys])
    return np.frombuffer(digests, ">u8").reshape(-1, 4)[:, 0] / 2**64


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write a Parquet table, whole or not at all; equal tables give equal bytes."""
    with written_whole(path) as temporary:
        table.write_parquet(temporary, compression="zstd", statistics=False)
