"""The short table that ends `make repro`: what was built, from metrics/*.json of stages that are up to date."""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fieldguide.errors import FieldguideError
from fieldguide.track.stale import stale_stages

MOST_REASONS = 5
STUDENT = "student"

Line = tuple[str, str]

WHERE_TO_LOOK = (
    ("report", "reports/evaluate/index.html"),
    ("runs and experiments", "make ui"),
    ("try the model in a browser", "make web"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How to print it."""
    parser.add_argument("--markdown", action="store_true", help="as a table for a README")


def run(arguments: argparse.Namespace) -> None:
    """Print what was built and where to look."""
    rows = collect_rows(Path("metrics"), stale_stages(SHOWN))
    if arguments.markdown:
        print(as_markdown(rows))
    else:
        places = [(what, where) for what, where in WHERE_TO_LOOK if "/" not in where or Path(where).exists()]
        print(f"\nBuilt\n{as_text(rows)}\n\nLook at\n{as_text(places)}")


def collect_rows(metrics: Path, stale: Mapping[str, str] = MappingProxyType({})) -> list[Line]:
    """What was built, as (what, value) rows, from the folder of metrics files.

    A stage in `stale`, which says why, or without metrics is `not built`: Git brings the metrics of another run along.
    Raises FieldguideError naming the file and the stage that writes it, if one is damaged or lacks a key.
    """
    rows: list[Line] = []
    for stage, (what, collect) in SHOWN.items():
        file = metrics / f"{stage}.json"
        if why := stale.get(stage, "" if file.exists() else f"{file} is missing"):
            rows.append((what, f"not built: {why} (dvc repro {stage})"))
        else:
            rows += collect(_read(file))
    return rows


def _photo_rows(clean: dict[str, Any]) -> Iterator[Line]:
    kept, total = _pick(clean, "num_kept", "clean"), _pick(clean, "num_photos", "clean")
    yield "photos kept", f"{kept:,} of {total:,}"
    dropped = {
        reason: count for reason, count in _pick(clean, "reasons", "clean").items() if reason != "kept" and count
    }
    if dropped:
        ranked = sorted(dropped.items(), key=lambda item: (-item[1], item[0]))
        rest = sum(count for _, count in ranked[MOST_REASONS:])
        named = [f"{reason} {count:,}" for reason, count in ranked[:MOST_REASONS]]
        yield "photos dropped", ", ".join(named + ([f"other reasons {rest:,}"] if rest else []))


def _model_rows(evaluate: dict[str, Any]) -> Iterator[Line]:
    for model, numbers in evaluate.items():
        if not isinstance(numbers, dict) or "top1" not in numbers:
            continue
        value = f"top-1 {numbers['top1']:.1%}"
        if "top1_interval" in numbers:
            low, high = numbers["top1_interval"]
            value += f" ({100 * low:.0f} to {100 * high:.0f})"
        if "ece_calibrated" in numbers:
            value += f", ECE {_pick(numbers, 'ece', 'evaluate'):.3f}, calibrated {numbers['ece_calibrated']:.3f}"
        if "num_photos" in numbers:
            value += f" ({numbers['num_photos']:,} test photos)"
        yield model, value
        if model == STUDENT and "answer" in numbers:
            yield "its answers", _describe_answers(numbers["answer"])


def _describe_answers(answer: dict[str, Any]) -> str:
    """How many photos it names at each rank, and how many wrongly."""
    *named, none = (f"{rank} {share:.0%}" for rank, share in answer["coverage"].items() if share or rank == "none")
    low, high = answer["risk_interval"]
    wrong = f"{answer['risk']:.1%} ({100 * low:.0f} to {100 * high:.0f}) of photos named wrongly"
    return f"{', '.join([*named, none])}; {wrong}, promised {answer['max_error']:.0%}"


def _bundle_rows(export: dict[str, Any]) -> Iterator[Line]:
    yield "browser bundle", f"{_pick(export, 'bundle_mb', 'export-tfjs'):.1f} MB"
    for runtime, numbers in export.items():
        if isinstance(numbers, dict) and "top1_agreement" in numbers:
            error = _pick(numbers, "max_abs_logit_error", "export-tfjs")
            agreement = f"same answer for {numbers['top1_agreement']:.1%} of photos, logits within {error:.2g}"
            yield f"student in {runtime}", agreement


SHOWN: dict[str, tuple[str, Callable[[dict[str, Any]], Iterator[Line]]]] = {
    "clean": ("photos kept", _photo_rows),
    "evaluate": ("models", _model_rows),
    "export-tfjs": ("browser bundle", _bundle_rows),
}
"""The stages whose metrics are shown: what they are called together, and the rows that they become."""


def as_text(rows: Sequence[Line]) -> str:
    """Rows as two aligned columns."""
    width = max(len(what) for what, _ in rows)
    return "\n".join(f"  {what:<{width}}  {value}" for what, value in rows)


def as_markdown(rows: Sequence[Line]) -> str:
    """Rows as a Markdown table."""
    return "\n".join(["| what | value |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows)])


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FieldguideError(f"{file} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise FieldguideError(f"{file} holds a {type(content).__name__}; expected an object")
    return content


def _pick(content: dict[str, Any], key: str, stage: str) -> Any:
    if key not in content:
        raise FieldguideError(f"metrics/{stage}.json has no '{key}'; found {', '.join(content)}")
    return content[key]
