"""Looks at everything that a later stage will need, in seconds and before the first stage runs.

Parameters, sources, classes, weights, networks, whether the student can be exported, disk and memory. All problems are
told, not just the first; exit code 1 if there is any.
"""

import argparse
from pathlib import Path

from fieldguide.errors import ParamsError
from fieldguide.params import PARAMS_FILE
from fieldguide.preflight.checks import CHECKS
from fieldguide.preflight.setting import Setting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which file."""
    parser.add_argument("--params", type=Path, default=PARAMS_FILE, help="the file to check (params.yaml)")


def run(arguments: argparse.Namespace) -> None:
    """Print what each check says. Raises ParamsError if any found a problem."""
    run_checks(arguments.params)


def run_checks(params: Path) -> None:
    """Make every check of CHECKS and print a line for each finding, or `ok`. Raises ParamsError."""
    setting = Setting.read(params)
    width = max(map(len, CHECKS))
    num_problems = 0
    for name, check in CHECKS.items():
        findings = list(check(setting))
        num_problems += sum(finding.is_problem for finding in findings)
        is_ok = not any(finding.is_problem for finding in findings)
        texts = [finding.text for finding in findings if finding.is_problem or is_ok]
        mark = "ok     " if is_ok else "PROBLEM"
        for text in texts or [""]:
            print(f"  {mark}  {name:<{width}}  {text}".rstrip())
    if num_problems:
        raise ParamsError(f"{params}: {num_problems} problem{'s' if num_problems > 1 else ''}, above")
