"""Runs a preset on somebody's own photographs in a scratch clone, so that the working tree stays as it is.

The preset names its inputs as `PHOTOS/...` and `WEIGHTS/...`; the folders given take their place. The student is first
trained without its teachers, to show what distillation brings, then with them; that one stays in the clone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fieldguide.commands.summary import Line, as_markdown, collect_rows
from fieldguide.errors import FieldguideError, ParamsError
from fieldguide.params import PARAMS_FILE
from fieldguide.presets import expand, load_overlay, set_values, write_params
from fieldguide.sections import check_params

WITHOUT_DISTILLATION = ["distill_student.soft_weight=0.0", "distill_student.hard_weight=1.0"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The preset and the folders that it names."""
    parser.add_argument("--preset", default="real-photos", help="a preset's name, or an overlay's .yaml file")
    parser.add_argument("--photos", type=Path, required=True, help="takes the place of PHOTOS in the preset")
    parser.add_argument("--weights", type=Path, required=True, help="takes the place of WEIGHTS in the preset")
    parser.add_argument("--scratch", type=Path, help="where to clone to; a new temporary folder otherwise")


def run(arguments: argparse.Namespace) -> None:
    """Run the preset and print its table."""
    print(as_markdown(run_preset(arguments.preset, arguments.photos, arguments.weights, arguments.scratch)))


def run_preset(preset: str | Path, photos: Path, weights: Path, scratch: Path | None) -> list[Line]:
    """Run all ten stages by `preset` in a clone of the repository at the working directory; return its summary.

    `scratch` is where the clone goes (a new temporary folder if None); if it is there already, work in it goes on.
    Raises ParamsError if a folder is missing or the preset is wrong, FieldguideError if a command fails.
    """
    for folder in (photos, weights):
        if not folder.is_dir():
            raise ParamsError(f"{folder} is not a folder")
    overlay = fill_in(load_overlay(preset), {"PHOTOS": photos, "WEIGHTS": weights})
    params, untaught = expand(overlay), expand(overlay)
    set_values(untaught, WITHOUT_DISTILLATION)
    check_params(params, str(preset))
    clone = (scratch or Path(tempfile.mkdtemp(prefix="fieldguide-"))).absolute()
    print(f"working in {clone}", file=sys.stderr)
    if not (clone / ".git").exists():
        _run("git", "clone", "--quiet", ".", str(clone), cwd=Path())
        (clone / "node_modules").symlink_to(Path("node_modules").absolute())
    _run("dvc", "pull", "--quiet", "data.dvc", cwd=clone)
    write_params(untaught, clone / PARAMS_FILE)
    _run("dvc", "repro", "evaluate", cwd=clone)
    alone = json.loads((clone / "metrics" / "evaluate.json").read_text(encoding="utf-8"))["student"]
    write_params(params, clone / PARAMS_FILE)
    _run("dvc", "repro", cwd=clone)
    without = ("student without distillation", f"top-1 {alone['top1']:.1%}, ECE {alone['ece']:.3f}")
    return [*collect_rows(clone / "metrics"), without]


def fill_in(content: Any, folders: dict[str, Path]) -> Any:
    """`content` with absolute paths where a text is, or begins with, the name of one of `folders`."""
    if isinstance(content, dict):
        return {key: fill_in(value, folders) for key, value in content.items()}
    if isinstance(content, list):
        return [fill_in(value, folders) for value in content]
    if isinstance(content, str):
        name, slash, rest = content.partition("/")
        if name in folders:
            return f"{folders[name].resolve()}{slash}{rest}"
    return content


def _run(*command: str, cwd: Path) -> None:
    # The environment this interpreter belongs to comes first: the clone has none of its own.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    print(f"+ {' '.join(command)}", file=sys.stderr)
    finished = subprocess.run(command, cwd=cwd, env={**os.environ, "PATH": path}, stdout=sys.stderr, check=False)
    if finished.returncode != 0:
        raise FieldguideError(f"{' '.join(command)} failed in {cwd} with exit code {finished.returncode}")
