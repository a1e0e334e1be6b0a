"""Turns a function into a stage: options from its signature, parameters from its section, metrics to JSON and MLflow.

    def resize(params: ResizeParams, *, fetch: Path, split: Path, out: Path) -> Metrics: ...

    if __name__ == "__main__":
        run_stage(resize)

runs as `python -m stages.resize --fetch interim/fetch --split interim/split --out interim/resize`.
"""

import argparse
import inspect
import signal
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fieldguide.consistency import check_consistency
from fieldguide.console import log_to_console, tell_failure
from fieldguide.digests import check_folder, write_digests
from fieldguide.errors import FieldguideError
from fieldguide.files import write_json
from fieldguide.params import Section, paths_in, pick_section, read_params
from fieldguide.parent import end_with_parent
from fieldguide.process_group import is_first_process
from fieldguide.system_errors import describe_system_error
from fieldguide.track import stage_run

Metrics = dict[str, Any]
"""JSON-ready numbers of a stage, nested at will; rates in [0, 1], seconds, megabytes (1e6 bytes)."""

OUTPUTS = ("out", "reports", "bundle")
"""Options that name folders which a stage writes; other paths are read."""


def run_stage(stage: Callable[..., Metrics], *, variant: str | None = None, argv: Sequence[str] | None = None) -> None:
    """Run `stage` as a program.

    The first argument of `stage` is its params section (a `Section`), the keyword-only ones are command-line
    options (Path, str or int). `variant` names the option that picks one entry of a section that holds
    several (`teacher` for `train_teacher.global`).

    The folders it reads are held to their digests before it starts, those it wrote get theirs when it is done
    (digests.py). Writes `metrics/<stage>.json`, mirrors it to MLflow; a FieldguideError becomes one line on stderr and
    exit code 1, and so does what the operating system refuses because of the user's paths or machine.
    """
    log_to_console()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _unwind)
    end_with_parent()
    named: list[Path] = []
    try:
        options = parse_options(stage, argv)
        picked = [str(options[variant])] if variant else []
        content = read_params()
        check_consistency(content)
        params = pick_section(section_model(stage), ".".join([stage.__name__, *picked]), content)
        named += paths_in([options, params])
        name = "-".join([stage.__name__.replace("_", "-"), *picked])
        with stage_run.stage_run(name, params.model_dump(mode="json")):
            for folder in _folders(options, written=False):
                check_folder(folder)
            metrics = stage(params, **options)
            # Of processes that work together the first one writes.
            if is_first_process():
                for folder in _folders(options, written=True):
                    write_digests(folder, "@".join([stage.__name__.replace("_", "-"), *picked]))
                write_metrics(name, metrics)
            stage_run.log_metrics(metrics)
    except FieldguideError as error:
        tell_failure(stage.__name__, error)
        sys.exit(1)
    except KeyboardInterrupt:
        tell_failure(stage.__name__, "interrupted")
        sys.exit(130)
    except OSError as error:
        problem = describe_system_error(error, named)
        if problem is None:
            raise
        tell_failure(stage.__name__, problem)
        sys.exit(1)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _unwind(*_: object) -> None:
    """End like Ctrl-C, so that temporary files go; a kill while they do, or at the very end, is a hard one."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.exit(143)


def section_model(stage: Callable[..., Metrics]) -> type[Section]:
    """The Section subclass that annotates the first argument of `stage`."""
    model = next(iter(typing.get_type_hints(stage).values()))
    assert issubclass(model, Section), f"{stage.__name__}: the first argument must be a Section"
    return model


def parse_options(stage: Callable[..., Metrics], argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Command-line options named and typed by the keyword-only arguments of `stage`."""
    module = sys.modules[stage.__module__]
    program = module.__spec__.name if module.__spec__ else module.__name__
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=inspect.getdoc(module))
    hints = typing.get_type_hints(stage)
    for name, parameter in inspect.signature(stage).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        required = parameter.default is inspect.Parameter.empty
        default = None if required else parameter.default
        parser.add_argument(
            f"--{name.replace('_', '-')}", dest=name, type=_plain_type(hints[name]), required=required, default=default
        )
    return vars(parser.parse_args(argv))


def _folders(options: Mapping[str, Any], *, written: bool) -> list[Path]:
    return [
        path
        for name, path in options.items()
        if isinstance(path, Path) and path.is_dir() and (name in OUTPUTS) == written
    ]


def _plain_type(hint: Any) -> Callable[[str], Any]:
    """`Path` of `Path | None`."""
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    assert callable(hint)
    return hint


def write_metrics(name: str, metrics: Metrics) -> None:
    """Write `metrics/<name>.json`, keys in the order given."""
    write_json(Path("metrics") / f"{name}.json", metrics)
