"""Runs a stage again for a few of the files that it wrote, with the command and the parameters of dvc.lock.

The stage runs in a folder of links to the repository, so that it writes none of its own files over, and with `--only`
where it can be told which files are meant.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fieldguide.digests import DIGESTS, write_digests
from fieldguide.errors import FieldguideError
from fieldguide.params import PARAMS_FILE
from fieldguide.track.lockfile import locked_stages

ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "resize": (".tar",),
    "tfrecord": (".tfrecord", ".tfrecord.index"),
    "embed": (".npy", ".ids.txt"),
}
"""What each stage that takes `--only` can write by itself; other files say something of all."""
OUT: Final = "rebuilt"
OWN: Final = (str(PARAMS_FILE), "metrics", "dvc.lock", OUT)
"""Entries of the folder that are no links."""


def is_rebuildable(stage: str, name: str) -> bool:
    """Whether a file of that stage's output can be made without the others."""
    return name.endswith(ENDINGS.get(stage, ()))


@contextmanager
def rebuilt(stage: str, names: Collection[str], root: Path) -> Iterator[Path]:
    """Yield a folder with the files `names` of a stage's output, made anew; others may lie there, too.

    Raises FieldguideError if the stage fails, or if dvc.lock does not say how it ran.
    """
    entry = locked_stages(root).get(stage)
    if entry is None:
        raise FieldguideError(f"dvc.lock does not know {stage}")
    command = _command(stage, str(entry["cmd"]), names)
    scratch = root / ".cache"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="repair-", dir=scratch) as temporary:
        folder = Path(temporary)
        for each in root.iterdir():
            if each.name not in OWN:
                (folder / each.name).symlink_to(each.absolute())
        params = _nested(entry.get("params", {}).get(str(PARAMS_FILE), {}))
        (folder / PARAMS_FILE).write_text(json.dumps(params), encoding="utf-8")
        environment = {**os.environ, "FIELDGUIDE_TRACKING": "off", "DVC_ROOT": str(root.absolute())}
        ran = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
        )
        if ran.returncode:
            said = ran.stderr.strip().splitlines() or ["nothing"]
            raise FieldguideError(f"{stage} could not make it again; it said: {said[-1]}")
        yield folder / OUT


@contextmanager
def rebuilt_digests(folder: Path, stage: str, instead: Mapping[str, Path]) -> Iterator[Path]:
    """Yield digests.json as the stage wrote it, if all other files of `folder`, or those `instead`, are whole."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    files |= instead
    with tempfile.TemporaryDirectory(prefix="repair-") as temporary:
        for name, path in files.items():
            if name != DIGESTS:
                link = Path(temporary, name)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path.absolute())
        write_digests(Path(temporary), stage)
        yield Path(temporary, DIGESTS)


def _command(stage: str, locked: str, names: Collection[str]) -> list[str]:
    """The stage's command with another output; nothing but one of our stages is run."""
    words = shlex.split(locked)
    module = f"stages.{stage.partition('@')[0].replace('-', '_')}"
    if words[:3] != ["python", "-m", module] or "--out" not in words:
        raise FieldguideError(
            f"dvc.lock says that {stage} ran as {locked!r}; expected python -m {module} ... --out ..."
        )
    words[words.index("--out") + 1] = OUT
    return [sys.executable, *words[1:], "--only", ",".join(sorted(names))]


def _nested(params: Mapping[str, Any]) -> dict[str, Any]:
    """`{"train_teacher.global": {...}}` of dvc.lock as params.yaml has it."""
    nested: dict[str, Any] = {}
    for key, value in params.items():
        *above, last = key.split(".")
        place = nested
        for part in above:
            place = place.setdefault(part, {})
        place[last] = value
    return nested
