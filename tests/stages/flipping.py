"""Flips bits in what a stage reads and runs it, in a process of its own, for tests/stages/test_flipped.py."""

import importlib
import io
import os
import random
import shutil
from contextlib import redirect_stderr
from pathlib import Path

from fieldguide.digests import DIGESTS
from fieldguide.stage import run_stage

ROOT = Path(__file__).parents[2]
INPUTS = {
    "clean": {"fetch": "interim/fetch"},
    "split": {"fetch": "interim/fetch", "clean": "interim/clean"},
    "resize": {"fetch": "interim/fetch", "split": "interim/split"},
    "tfrecord": {"resize": "interim/resize", "split": "interim/split"},
    "embed": {"tfrecord": "interim/tfrecord", "fetch": "interim/fetch", "split": "interim/split"},
    "train_teacher": {"tfrecord": "interim/tfrecord", "embed": "interim/embed"},
    "distill_student": {"tfrecord": "interim/tfrecord", "teachers": "models/teachers"},
    "evaluate": {
        "split": "interim/split",
        "tfrecord": "interim/tfrecord",
        "embed": "interim/embed",
        "teachers": "models/teachers",
        "student": "models/student",
    },
}
KEPT_FOLDERS = (".cache/embeddings", ".cache/teachers")
OUTPUTS = {
    "train_teacher": "models/teachers/global",
    "distill_student": "models/student",
    "evaluate": "reports/evaluate",
}
MORE = {
    "clean": ["--reports", "reports/clean"],
    "split": ["--reports", "reports/split"],
    "embed": ["--reports", "reports/embed"],
    "train_teacher": ["--teacher", "global"],
}


def run(stage: str, out: str) -> str | None:
    """Run a stage in this process as DVC would; what it said if it ended with exit code 1."""
    # What was embedded or answered before is not read again.
    for folder in KEPT_FOLDERS:
        shutil.rmtree(folder, ignore_errors=True)
    function = getattr(importlib.import_module(f"stages.{stage}"), stage)
    options = [word for name, path in INPUTS[stage].items() for word in (f"--{name}", path)]
    with redirect_stderr(io.StringIO()) as said:
        try:
            run_stage(
                function,
                variant="teacher" if stage == "train_teacher" else None,
                argv=[*options, *MORE.get(stage, []), "--out", out],
            )
        except SystemExit as error:
            return said.getvalue() if error.code == 1 else f"exit code {error.code}: {said.getvalue()}"
    return None


def flip_inputs(root: Path, stages: list[str], num_flips: int, seed: int) -> list[str]:
    """Run each stage once, then again with each of `num_flips` bits flipped; return what went wrong.

    A stage must end with a message that names the file or, where the bit is one that it does not read (the fill of a
    tar, a record of another split), write the same bytes. A clean tree must pass.
    """
    os.chdir(root)
    os.environ |= {"FIELDGUIDE_TRACKING": "off", "DVC_ROOT": str(root)}
    draw = random.Random(seed)
    wrong = []
    for stage in stages:
        out = OUTPUTS.get(stage, f"interim/{stage}")
        if message := run(stage, out):
            return [f"{stage} on a clean tree: {message}"]
        expected = (root / out / DIGESTS).read_bytes()
        files = sorted(
            {file for folder in INPUTS[stage].values() for file in (root / folder).rglob("*") if file.is_file()}
        )
        for _ in range(num_flips):
            file = draw.choice(files)
            bit = draw.randrange(8 * file.stat().st_size)
            _flip(file, bit)
            message = run(stage, "again")
            _flip(file, bit)
            if message is None and (root / "again" / DIGESTS).read_bytes() != expected:
                wrong.append(f"{stage} took bit {bit} of {file.relative_to(root)} without a word")
            elif message is None and not _may_be_unread(stage, file):
                wrong.append(f"{stage} did not see bit {bit} of {file.relative_to(root)}")
            elif message is not None and (str(file.relative_to(root)) not in message or message.count("\n") != 1):
                wrong.append(f"{stage} about bit {bit} of {file.relative_to(root)}: {message}")
            shutil.rmtree(root / "again", ignore_errors=True)
    return wrong


def _flip(file: Path, bit: int) -> None:
    status = file.stat()
    with file.open("r+b") as stream:
        stream.seek(bit // 8)
        (byte,) = stream.read(1)
        stream.seek(bit // 8)
        stream.write(bytes([byte ^ 1 << bit % 8]))
    # As a disk does it: neither size nor time change.
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _may_be_unread(stage: str, file: Path) -> bool:
    # Embeddings are of every record there is.
    return file.suffix == ".tar" or (file.suffix == ".tfrecord" and stage != "embed")
