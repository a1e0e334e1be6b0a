"""Name what photos show, by a model folder alone: photos, folders, archives (.zip, .tar, .tar.gz) or tables of files.

Photos that cannot be read are said and skipped. A prediction that was stopped goes on where it was; a finished output
is never overwritten.
"""

import argparse
import sys
from pathlib import Path

from fieldguide.catalogue.sources.left_out import LeftOut
from fieldguide.commands.summary import as_text
from fieldguide.console import align
from fieldguide.errors import ParamsError, PhotoError
from fieldguide.evaluate.tree import Verdict
from fieldguide.files import file_sha256
from fieldguide.inference.formats import FORMATS, NOTHING
from fieldguide.inference.guide import Guide, load
from fieldguide.inference.journal import Journal, Line
from fieldguide.inference.photos import LabelSource, list_photos
from fieldguide.inference.run import answer_photos
from fieldguide.inference.runtimes import RUNTIMES, WEIGHTS_FILES, choose_runtime
from fieldguide.inference.scores import find_strange, score_answers
from fieldguide.progress import show_progress

MOST_SAID = 20
"""Photos without an answer that are named on the screen; the output names all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to ask about, whom, and how to write it."""
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO|DIR|ARCHIVE|TABLE", help="what to ask about")
    parser.add_argument(
        "--model",
        type=Path,
        default=Path("models/export"),
        help="models/export (the default), models/teachers/NAME, or a copy",
    )
    parser.add_argument("--runtime", choices=RUNTIMES, help="by default torch where its weights are, else onnx")
    parser.add_argument("--top", type=int, default=5, help="likeliest taxa to name, 5 by default")
    parser.add_argument("--format", choices=FORMATS, default="csv", help="of the output, csv by default")
    parser.add_argument("--out", type=Path, help="file to write; a table on the screen if left out")
    parser.add_argument(
        "--region", action="append", default=[], help="name only what has training photos there; may be given twice"
    )
    parser.add_argument("--column", help="of tables: the column that names the files")
    parser.add_argument("--labels", choices=list(LabelSource), help="where the truth stands: score the answers")


def run(arguments: argparse.Namespace) -> None:
    """Write, or print, an answer for every photo. Raises PhotoError if there is none at all."""
    if arguments.top < 1:
        raise ParamsError(f"--top {arguments.top}; expected 1 or more")
    out: Path | None = arguments.out
    if out and out.exists():
        raise ParamsError(f"{out} exists; delete it, or choose another --out")
    labels = LabelSource(arguments.labels) if arguments.labels else None
    left_out = LeftOut()
    photos = list_photos(arguments.photos, labels, arguments.column, left_out)
    if left_out.total:
        print(f"left out {left_out}", file=sys.stderr)
    if not photos:
        raise PhotoError(f"no photos in {', '.join(map(str, arguments.photos))}")
    guide = load(arguments.model, arguments.runtime).within(*arguments.region)
    runtime = arguments.runtime or choose_runtime(arguments.model)
    digest = file_sha256(arguments.model / WEIGHTS_FILES[runtime])
    model = f"{arguments.model.name} {digest[:12]} ({runtime})"

    if out is None:
        lines = [line for lines in answer_photos(guide, photos, arguments.top) for line in lines]
        print(as_text([(line.file, describe(line)) for line in lines]))
    else:
        settings = {"model": digest, "runtime": runtime, "top": arguments.top, "labels": arguments.labels}
        settings |= {"regions": sorted(arguments.region)} if arguments.region else {}
        journal = Journal.open(out.with_name(f".{out.name}.answers"), settings)
        done = {line.file for line in journal.lines}
        waiting = [photo for photo in photos if photo.name not in done]
        try:
            for answered in show_progress(
                answer_photos(guide, waiting, arguments.top), len(waiting), "predict", unit="photos"
            ):
                journal.add(answered)
        finally:
            journal.close()
        found = {line.file: line for line in journal.lines}
        lines = [found[name] for name in dict.fromkeys(photo.name for photo in photos)]
        FORMATS[arguments.format](out, lines, model)
        journal.discard()
    tell_problems(lines)
    if labels:
        tell_scores(lines, guide, arguments.top)


def describe(line: Line) -> str:
    """`species Bellis perennis (daisy) 93 %`."""
    if line.answer is None:
        return line.problem
    taxon = line.answer.taxon
    name = f"{taxon.rank} {taxon.name}" + (f" ({taxon.vernacular})" if taxon.vernacular else "")
    return {
        Verdict.TAXON: f"{name}, {taxon.probability:.0%}",
        Verdict.UNSURE: f"perhaps {name}, {taxon.probability:.0%}",
        Verdict.OUTSIDE: f"{NOTHING}, {taxon.probability:.0%}",
        Verdict.STRANGE: f"{NOTHING}: unlike all its photos",
    }[line.answer.verdict]


def tell_scores(lines: list[Line], guide: Guide, num_top: int) -> None:
    """Print how right the answers to labelled photos are, as tables, and the labels that the guide does not know."""
    for table in score_answers(lines, guide.labels, guide.calibration, num_top):
        print("\n".join(["", *align(table)]))
    if strange := find_strange(lines, guide.labels):
        print(f"\nlabels that are not in this guide: {strange}")


def tell_problems(lines: list[Line]) -> None:
    """Say on stderr which photos have no answer. Raises PhotoError if none has one."""
    problems = [f"{line.file}: {line.problem}" for line in lines if line.problem]
    for problem in problems[:MOST_SAID]:
        print(problem, file=sys.stderr)
    if problems:
        print(f"{len(problems):,} of {len(lines):,} photos have no answer", file=sys.stderr)
    if len(problems) == len(lines):
        raise PhotoError("no photo could be read")
