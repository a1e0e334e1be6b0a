"""The whole survey: from what a user points at to the overlay on presets/base.yaml that fits it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from fieldguide.catalogue.rows import Source
from fieldguide.catalogue.sources import AnySource
from fieldguide.errors import ParamsError
from fieldguide.presets import expand, load_overlay
from fieldguide.survey.choosing import Choice, lay_over
from fieldguide.survey.data_choice import choose_data
from fieldguide.survey.headers import read_headers
from fieldguide.survey.learning_choice import choose_learning, rank_weights
from fieldguide.survey.machine import Machine, look_at_machine
from fieldguide.survey.oddities import Findings, find_oddities
from fieldguide.survey.ranks import NO_RANKS, Ranks, find_ranks, find_ranks_within
from fieldguide.survey.schedule import Schedule
from fieldguide.survey.sources import FoundSource, find_sources, shorten
from fieldguide.survey.tally import Tally, tally_rows
from fieldguide.survey.weights import Learning, look_at_learning

REPLACED = ("fetch.sources", "split.taxonomy", "split.ranks")
"""Of a preset's values, those that a survey replaces whole."""
PLACEHOLDER = "WEIGHTS"
USUAL_MINUTES = 30.0


@dataclass(frozen=True)
class Request:
    """What a user points at and asks for."""

    photos: tuple[Path, ...]
    table: Path | None = None
    taxonomy: Path | None = None
    weights: Path | None = None
    preset: str | None = None
    minutes: float | None = None


@dataclass(frozen=True)
class Survey:
    """What was found, and the parameters that fit it."""

    found: Findings
    machine: Machine
    learning: Learning
    choice: Choice
    schedule: Schedule | None
    """None where a preset says how long to train."""
    oddities: list[str]


def survey(request: Request) -> Survey:
    """Look at everything that `request` names and choose. Raises ParamsError and CatalogueError."""
    if request.preset and request.minutes:
        raise ParamsError(
            f"--minutes chooses epochs, but preset {request.preset} says how many; expected one of the two"
        )
    overlay = load_overlay(request.preset) if request.preset else None
    sources = find_sources(request.photos, request.table)
    tally = tally_rows(load_sources(sources))
    if not tally.labels:
        kinds = ", ".join(f"{name} ({source.section['kind']})" for name, source in sources.items())
        raise ParamsError(
            f"no photo has a class in {kinds}, so nothing can be taught; `python -m fieldguide preset colorization` is "
            "for photos without any"
        )
    found = Findings(sources, tally, read_headers(tally.sample), _ranks(request, sources, tally))
    learning = look_at_learning(request.weights)
    machine = look_at_machine(learning.accelerator)
    choice, schedule = choose_data(sources, tally, found.headers, found.ranks), None
    if overlay is None:
        minutes = request.minutes or USUAL_MINUTES
        learnt, schedule = choose_learning(tally, found.headers, found.ranks.ranks, machine, learning, minutes)
        choice = Choice(
            lay_over(choice.overlay, learnt.overlay),
            [*choice.reasons, *learnt.reasons],
            [*choice.warnings, *learnt.warnings],
        )
    else:
        choice.overlay = adapt_preset(overlay, choice.overlay, found.ranks.ranks, request.weights)
    return Survey(found, machine, learning, choice, schedule, find_oddities(found))


def load_sources(found: Mapping[str, FoundSource]) -> dict[str, Source]:
    """The sources, ready to give rows, as a params.yaml with these sections would give them."""
    sections = expand({"fetch": {"sources": {name: source.section for name, source in found.items()}}})["fetch"]
    return {name: TypeAdapter(AnySource).validate_python(section) for name, section in sections["sources"].items()}


def _ranks(request: Request, sources: Mapping[str, FoundSource], tally: Tally) -> Ranks:
    if request.taxonomy:
        return find_ranks(request.taxonomy, tally.labels)
    (first, *others) = sources.values()
    if others or first.section["kind"] != "observations":
        return NO_RANKS
    return find_ranks_within(Path(first.section["path"]), first.section["columns"].get("label"), tally.labels)


def adapt_preset(
    preset: Mapping[str, Any], data: Mapping[str, Any], ranks: Sequence[str], weights: Path | None
) -> dict[str, Any]:
    """The overlay of a preset with what was found in the place of its data, and of its ranks where they differ."""
    overlay = lay_over(preset, data, REPLACED)
    if weights:
        overlay = _fill_in(overlay, PLACEHOLDER, weights)
    known = list(preset.get("split", {}).get("ranks", expand({})["split"]["ranks"]))
    if list(ranks) != known:
        new = {"rank_weights": rank_weights(ranks)}
        teachers = {name: {**entry, **new} for name, entry in overlay.get("train_teacher", {}).items()}
        overlay = lay_over(
            overlay,
            {"templates": {"training": new}, "train_teacher": teachers, "distill_student": new},
            ("templates.training.rank_weights", "train_teacher", "distill_student.rank_weights"),
        )
    return overlay


def _fill_in(content: Any, placeholder: str, folder: Path) -> Any:
    """`content` with `folder` where a path begins with `placeholder`."""
    if isinstance(content, Mapping):
        return {key: _fill_in(value, placeholder, folder) for key, value in content.items()}
    if isinstance(content, str) and content.startswith(f"{placeholder}/"):
        return str(shorten(folder) / content.removeprefix(f"{placeholder}/"))
    return content
