"""Writes params.yaml in full: presets/base.yaml, changed by an overlay and by single values.

python -m fieldguide preset plants --set train_teacher.global.epochs=3
"""

import argparse
from pathlib import Path

from fieldguide.params import PARAMS_FILE
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


def run(arguments: argparse.Namespace) -> None:
    """Write the file and say so."""
    params = expand(load_overlay(arguments.name))
    set_values(params, arguments.overrides)
    check_params(params, arguments.name)
    write_params(params, arguments.out)
    print(f"{arguments.out}: preset {arguments.name}")
