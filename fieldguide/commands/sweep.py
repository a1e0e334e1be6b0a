"""Search for better parameters: Optuna proposes them, every trial is a DVC experiment with a name.

A sweep that was stopped goes on where it was. The file says what is searched for: docs/experiments.md, Sweeps.
"""

import argparse
import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fieldguide.console import log_to_console
from fieldguide.errors import FieldguideError, ParamsError
from fieldguide.sweep.description import read_sweep
from fieldguide.sweep.results import as_lines, write_results
from fieldguide.sweep.running import run_trials
from fieldguide.sweep.search import EXPERIMENT, Search, opened_search
from fieldguide.track.pipeline_run import git

FOLDER = Path(".cache") / "sweeps"
"""Holds a database, and a folder of logs, of each sweep."""
REPORTS = Path("reports") / "sweeps"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sweep's file, and what is wanted."""
    parser.add_argument("file", type=Path, metavar="SWEEP.yaml", help="what to search for, as sweeps/student.yaml")
    wanted = parser.add_mutually_exclusive_group()
    wanted.add_argument("--status", action="store_true", help="only print the trials so far")
    wanted.add_argument("--apply", action="store_true", help="only bring the best trial's files into the working tree")


def run(arguments: argparse.Namespace) -> None:
    """Run trials until all are done, and print them."""
    log_to_console()
    name, sweep = read_sweep(arguments.file)
    database = FOLDER / f"{name}.db"
    only_looks = arguments.status or arguments.apply
    if only_looks and not database.exists():
        raise ParamsError(f"{database} is missing; this sweep has not begun")
    baseline = git("rev-parse", "HEAD")
    if baseline is None:
        raise FieldguideError("no commit here; expected a Git repository, which DVC's experiments start from")
    with opened_search(name, sweep, database, baseline) as search:
        if arguments.apply:
            apply_best(search)
            return
        if not arguments.status:
            with _locked(database.with_suffix(".lock")):
                run_trials(search, FOLDER / name, lambda: write_results(search, REPORTS / name))
        for line in as_lines(search):
            print(line)


def apply_best(search: Search) -> None:
    """`dvc exp apply` the best trial."""
    best = search.best()
    experiment = best.user_attrs[EXPERIMENT]
    dvc = [sys.executable, "-m", "dvc", "exp", "apply", experiment]
    if subprocess.run(dvc, stdout=sys.stderr, check=False).returncode != 0:
        raise FieldguideError(f"dvc exp apply {experiment} failed; see above")
    print(f"{experiment} is applied: {', '.join(f'{path}={value}' for path, value in best.params.items())}")


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock on a sweep. Raises FieldguideError if another process does."""
    with file.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FieldguideError(f"{file} is locked; this sweep runs already") from None
        yield
