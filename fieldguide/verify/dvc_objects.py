"""The objects of DVC's cache behind the files of an output: which they are, whether they are whole, how they come back.

A folder that a stage wrote is one object, `MD5.dir`, a JSON list of the MD5 of each file; each file is an object under
its own MD5. A file of the workspace may be a hard link or a symbolic link to its object, and then damage to one is
damage to both: the object's name says what its bytes should be, and DVC believes it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ruamel.yaml import YAML

from fieldguide.files import written_whole
from fieldguide.track.lockfile import TrackedPath, tracked_paths

READ_ONLY = 0o444


@dataclass(frozen=True)
class Cache:
    """DVC's cache of the repository at `root`."""

    root: Path

    @property
    def folder(self) -> Path:
        """Where its objects are; it may be shared with other repositories."""
        return _cache_folder(self.root.absolute())

    def path(self, md5: str) -> Path:
        """Where the object of that name is, if it is there."""
        return self.folder / md5[:2] / md5[2:]

    def is_whole(self, md5: str) -> bool:
        """Whether the object is there and is what its name says."""
        path = self.path(md5)
        return path.is_file() and file_md5(path) == md5.removesuffix(".dir")

    def discard_if_bad(self, md5: str) -> bool:
        """Delete an object whose bytes are not what its name says, so that DVC never hands it out; whether it was."""
        path = self.path(md5)
        if not path.is_file() or self.is_whole(md5):
            return False
        path.unlink()
        return True

    def put(self, md5: str, file: Path) -> None:
        """Make the object of that name from a file that was held to it."""
        with written_whole(self.path(md5)) as temporary:
            shutil.copyfile(file, temporary)
            temporary.chmod(READ_ONLY)

    def listed(self, out: TrackedPath) -> dict[str, str] | None:
        """The MD5 of every file of an output, by name below it; None if the list is not there or is damaged."""
        if not out.digest.endswith(".dir") or not self.is_whole(out.digest):
            return None
        return {entry["relpath"]: entry["md5"] for entry in json.loads(self.path(out.digest).read_bytes())}

    def object_of(self, file: Path, listed: Mapping[str, str] | None, name: str) -> str | None:
        """The MD5 by which DVC knows a file: by the list of its output, else by the link that it is."""
        if listed and name in listed:
            return listed[name]
        if file.is_symlink():
            target = Path(os.path.realpath(file))
            return _name_of(target) if target.is_relative_to(os.path.realpath(self.folder)) else None
        if file.is_file() and (status := file.stat()).st_nlink > 1:
            for each in self.folder.glob("??/*"):
                if each.stat().st_ino == status.st_ino and each.stat().st_dev == status.st_dev:
                    return _name_of(each)
        return None

    def fetch(self, targets: Sequence[str]) -> bool:
        """Ask the remotes for objects that the cache lacks; whether DVC found all."""
        return _run_dvc(self.root, "fetch", *targets).returncode == 0


def find_tracked(path: Path, root: Path) -> tuple[TrackedPath, str] | None:
    """The output or input of DVC that holds a file, and the file's name below it; None if DVC does not know it."""
    inside = os.path.relpath(path.absolute(), root.absolute())
    for tracked in tracked_paths(root):
        if Path(inside).is_relative_to(tracked.path):
            return tracked, Path(inside).relative_to(tracked.path).as_posix()
    return None


def is_persistent(stage: str, root: Path) -> bool:
    """Whether what the stage left is still there when it runs again (`persist: true` in dvc.yaml)."""
    pipeline = root / "dvc.yaml"
    stages = (
        YAML(typ="safe", pure=True).load(pipeline.read_text(encoding="utf-8"))["stages"] if pipeline.is_file() else {}
    )
    entry = stages.get(stage.partition("@")[0], {})
    outs = entry.get("do", entry).get("outs", [])
    return any(isinstance(out, dict) and any((each or {}).get("persist") for each in out.values()) for out in outs)


def folder_md5(folder: Path, instead: Mapping[str, Path]) -> str:
    """The digest that dvc.lock would hold of a folder, if the files named in `instead` were those."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    files |= instead
    entries = [{"md5": file_md5(files[name]), "relpath": name} for name in sorted(files)]
    return hashlib.md5(json.dumps(entries).encode(), usedforsecurity=False).hexdigest() + ".dir"


def file_md5(path: Path) -> str:
    """The MD5 of a file's bytes as 32 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


@lru_cache
def _cache_folder(root: Path) -> Path:
    said = _run_dvc(root, "cache", "dir").stdout.strip()
    return Path(said or root / ".dvc/cache") / "files/md5"


def _name_of(path: Path) -> str:
    return path.parent.name + path.name


def _run_dvc(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dvc", *words], cwd=root, capture_output=True, text=True, encoding="utf-8", check=False
    )
