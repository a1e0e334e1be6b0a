"""What is done around the pipeline: `python -m fieldguide COMMAND`; `--help` lists the commands."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from fieldguide.console import printable_stdout, tell_failure
from fieldguide.errors import FieldguideError
from fieldguide.params import paths_in
from fieldguide.system_errors import describe_system_error

COMMANDS = {
    "init": "look at photographs and write a params.yaml that fits them",
    "check": "look at everything that the stages will need, before they run",
    "preset": "write params.yaml from a preset",
    "params": "print what each parameter means and what it may hold",
    "summary": "print what the last run built",
    "predict": "name what photos show, by a model folder alone",
    "why": "print the whole life of a photo, from source line to record",
    "forget": "drop photos and all copies of them, now and in every later run",
    "decide": "drop photos whose label is suspect, or give them another label",
    "taxonomy": "write the ranks that the sources of params.yaml hold as a table",
    "export": "write the rows of the sources of params.yaml as JSONL",
    "link": "show the photos that clean kept as a tree of symbolic links, by label",
    "suggest-replacements": "propose kept photos in the place of broken ones",
    "verify": "check every byte of what stages wrote; delete or rebuild what is bad",
    "sweep": "search for better parameters, every trial a DVC experiment",
    "mlflow-sync": "bring into MLflow what DVC took from its run cache",
    "real": "run a preset on real photographs in a scratch clone",
}
"""Each is a module of fieldguide/commands with `add_arguments(parser)` and `run(arguments)`."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command; a FieldguideError becomes one line on stderr and exit code 1."""
    listed = "\n".join(f"  {name:<{max(map(len, COMMANDS))}}  {purpose}" for name, purpose in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m fieldguide",
        description=__doc__,
        epilog=f"commands:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="COMMAND --help lists them")
    chosen = parser.parse_args(argv)
    module = load_command(chosen.command)
    own = argparse.ArgumentParser(
        prog=f"{parser.prog} {chosen.command}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(own)
    arguments = own.parse_args(chosen.arguments)
    try:
        with printable_stdout():
            module.run(arguments)
            sys.stdout.flush()
    except BrokenPipeError:
        # `... params | head` has seen enough. What Python still holds must not meet the closed pipe when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except FieldguideError as error:
        tell_failure(chosen.command, error)
        sys.exit(1)
    except OSError as error:
        problem = describe_system_error(error, paths_in(vars(arguments)))
        if problem is None:
            raise
        tell_failure(chosen.command, problem)
        sys.exit(1)


def load_command(name: str) -> ModuleType:
    """The module of a command; only the one that is run is imported."""
    return importlib.import_module(f"fieldguide.commands.{name.replace('-', '_')}")


if __name__ == "__main__":
    main()
