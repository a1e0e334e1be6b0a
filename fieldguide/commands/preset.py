"""Writes params.yaml in full: presets/base.yaml, changed by an overlay and by single values.

python -m fieldguide preset plants --set train_teacher.global.epochs=3
"""

import argparse
import subprocess
from pathlib import Path

from fieldguide.errors import ParamsError
from fieldguide.params import PARAMS_FILE, read_params
from fieldguide.presets import expand, load_overlay, preset_names, set_values, write_params
from fieldguide.sections import check_params


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The preset, what else to change, and where to write."""
    parser.add_argument("name", metavar="NAME", help=f"{', '.join(preset_names())}, or an overlay's .yaml file")
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="as `dvc exp run -S`",
    )
    parser.add_argument("--out", type=Path, default=PARAMS_FILE, help="the file to write (params.yaml)")
    parser.add_argument("--force", action="store_true", help="write over a file that has changes of yours")


def run(arguments: argparse.Namespace) -> None:
    """Write the file and say so."""
    if not arguments.force:
        refuse_to_lose(arguments.out)
    params = expand(load_overlay(arguments.name))
    set_values(params, arguments.overrides)
    check_params(params, arguments.name)
    write_params(params, arguments.out)
    print(f"{arguments.out}: preset {arguments.name}")


def refuse_to_lose(file: Path) -> None:
    """Raise ParamsError if writing over `file` would lose what neither a preset nor the last commit holds."""
    if not file.exists():
        return
    params = read_params(file)
    is_known = any(params == expand(load_overlay(name)) for name in preset_names())
    if not is_known and not _is_committed(file):
        raise ParamsError(f"{file} holds changes that no commit has; commit them, or expected --force or another --out")


def _is_committed(file: Path) -> bool:
    command = ["git", "-C", str(file.absolute().parent), "diff", "--quiet", "HEAD", "--", file.name]
    tracked = ["git", "-C", str(file.absolute().parent), "ls-files", "--error-unmatch", file.name]
    return all(subprocess.run(each, capture_output=True, check=False).returncode == 0 for each in (tracked, command))
