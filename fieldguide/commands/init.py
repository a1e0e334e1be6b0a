"""Looks at your photographs and writes a params.yaml that fits them, this machine and the minutes you have.

python -m fieldguide init data/moths --taxonomy data/taxonomy.csv --minutes 60

Photographs are folders or archives of `Species name/*.jpg`, or of train, val and test with such folders, or a table of
photos with one row each. The file says everything in full: change what you like, then run `dvc repro`.
"""

import argparse
import shlex
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from fieldguide.commands.check import run_checks
from fieldguide.commands.preset import refuse_to_lose
from fieldguide.commands.summary import Line, as_text
from fieldguide.params import PARAMS_FILE
from fieldguide.presets import expand, preset_names, write_params
from fieldguide.sections import check_params
from fieldguide.survey.survey import USUAL_MINUTES, Request, Survey, survey

DATA = Path("data")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the photographs are, and what there is beside them."""
    parser.add_argument(
        "photos", nargs="+", type=Path, metavar="PHOTOS", help="folders, archives, a table or a URL list"
    )
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="a row for each photo: .csv, .tsv, .jsonl or .parquet"
    )
    parser.add_argument("--taxonomy", type=Path, metavar="CSV", help="species and their higher ranks, a line a species")
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="pretrained weights, files named after timm's models"
    )
    parser.add_argument("--preset", metavar="NAME", help=f"train as it says instead: {', '.join(preset_names())}")
    parser.add_argument(
        "--minutes", type=_minutes, help=f"for the whole pipeline on this machine ({USUAL_MINUTES:.0f})"
    )
    parser.add_argument("--out", type=Path, default=PARAMS_FILE, help="the file to write (params.yaml)")
    parser.add_argument("--force", action="store_true", help="write over a file that has changes of yours")


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0
    if not 0 < minutes < inf:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a number above 0")
    return minutes


def run(arguments: argparse.Namespace) -> None:
    """Survey, choose, write, check. Raises FieldguideError."""
    if not arguments.force:
        refuse_to_lose(arguments.out)
    photos = tuple(arguments.photos)
    request = Request(
        photos, arguments.table, arguments.taxonomy, arguments.weights, arguments.preset, arguments.minutes
    )
    result = survey(request)
    overlay = CommentedMap(result.choice.overlay)
    overlay.yaml_set_start_comment(f"{_in_short(result)}, by\npython -m fieldguide init {_typed(arguments)}\n")
    params = expand(overlay)
    check_params(params, "the chosen parameters")
    for title, lines in report(result, arguments.minutes or USUAL_MINUTES):
        print(f"{title}\n{lines}\n")
    write_params(params, arguments.out)
    print(f"{arguments.out} written; checking that all is there\n")
    run_checks(arguments.out)
    print(f"\nNext\n{as_text(list(next_steps(result, arguments.out)))}")


def report(result: Survey, minutes: float) -> Iterator[tuple[str, str]]:
    """What was found, what was chosen and why, what looks odd, how long it may take: titles and texts."""
    yield "Found", as_text(list(_found(result)))
    reasons = [reason._replace(key=_shown_key(reason.key)) for reason in result.choice.reasons]
    width, values = (min(40, max(len(reason[place]) for reason in reasons)) for place in (0, 1))
    chosen = (f"  {key:<{width}}  {value:<{values}}  {why}" for key, value, why in reasons)
    yield "Chosen", "\n".join(map(str.rstrip, chosen))
    odd = [*result.choice.warnings, *result.oddities, *result.learning.misfits]
    if odd:
        yield "Odd", "\n".join(f"  - {line}" for line in odd)
    if result.schedule:
        parts = sorted(result.schedule.seconds.items(), key=lambda part: -part[1])
        told = ", ".join(f"{what} {seconds / 60:.0f}" for what, seconds in parts if seconds >= 30)
        over = "" if result.schedule.minutes <= minutes * 1.1 else f"; fewer than {minutes:.0f} are not to be had"
        yield "Time", f"  about {result.schedule.minutes:.0f} minutes by measured speeds{over}: {told}"


def _shown_key(key: str) -> str:
    """The key in params.yaml; of those that templates give to several networks, the teacher's."""
    for template in ("templates.backbone", "templates.training"):
        key = key.replace(template, "train_teacher.global")
    return key


def _found(result: Survey) -> Iterator[Line]:
    found, tally, headers = result.found, result.found.tally, result.found.headers
    yield "photos", f"{tally.num_rows:,}" + ("" if tally.num_local == tally.num_rows else _from_where(result))
    if headers.num_read:
        formats = ", ".join(f"{name} {count}" for name, count in headers.formats.most_common())
        short, long = min(headers.shorter_sides), max(headers.longer_sides)
        yield "files", f"{formats} of {headers.num_read} looked into; sides of {short:,} to {long:,} px"
    counts = sorted(tally.labels.values())
    spread = f"{counts[0]:,} to {counts[-1]:,} photos each, {counts[len(counts) // 2]:,} in the middle"
    yield "classes", f"{len(counts):,}, {spread}"
    yield "the tail", f"{sum(count < 10 for count in counts):,} classes with fewer than 10 photos"
    yield "ranks", ", ".join(found.ranks.ranks)
    given = ", ".join(f"{split} {count:,}" for split, count in tally.splits.most_common())
    yield "given split", given or "none"
    licences = ", ".join(f"{name} {count:,}" for name, count in tally.licences.most_common(4))
    yield "licences", licences
    yield "coordinates", f"{tally.said['latitude']:,} photos"
    machine = result.machine
    yield "machine", f"{machine.cores} cores, {machine.memory_gb:.0f} GB, {machine.accelerator or 'no accelerator'}"
    names = ", ".join(each.path.name for each in result.learning.pretrained)
    yield "weights", names or "none; networks start from random ones"


def _from_where(result: Survey) -> str:
    hosts = result.found.tally.hosts.most_common(3)
    return ", from " + ", ".join(f"{host or 'this machine'} {count:,}" for host, count in hosts)


def _in_short(result: Survey) -> str:
    tally = result.found.tally
    return f"For {tally.num_rows:,} photos of {len(tally.labels):,} classes on {result.machine.cores} cores"


def _typed(arguments: argparse.Namespace) -> str:
    """The options as they were typed, all but the file to write."""
    named = {name: getattr(arguments, name) for name in ("table", "taxonomy", "weights", "preset", "minutes")}
    options = [text for name, value in named.items() if value for text in (f"--{name}", f"{value}")]
    return shlex.join([*map(str, arguments.photos), *options])


def next_steps(result: Survey, out: Path) -> Iterator[Line]:
    """What to type now."""
    paths = [path for source in result.found.sources.values() for path in source_paths(source.section)]
    if any(_is_inside(path, DATA) for path in paths):
        yield "dvc add data", "record your photographs; the sample's give way to them"
    if out != PARAMS_FILE:
        yield f"cp {out} {PARAMS_FILE}", "stages read this file alone"
    yield "dvc repro", "all ten stages; again when photographs were added, wherever they lie"


def source_paths(section: dict[str, object]) -> Sequence[Path]:
    """The files and folders that a source's section names."""
    roots = section.get("roots", [])
    assert isinstance(roots, list)
    return [Path(str(path)) for path in (*roots, section.get("path"), section.get("root")) if path]


def _is_inside(path: Path, folder: Path) -> bool:
    return path.absolute().is_relative_to(folder.absolute())
