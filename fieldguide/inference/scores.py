"""How often answers to labelled photos are right: the tables of the evaluation's report, of any photos."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fieldguide.evaluate.metrics import find_interval, macro_f1, measure_reliability
from fieldguide.evaluate.rules import Situation
from fieldguide.evaluate.tree import Verdict, climb
from fieldguide.export.model_files import Calibration, Labels
from fieldguide.inference.answer import Answer
from fieldguide.inference.journal import Line
from fieldguide.text import tidy

MOST_NAMED = 5
ECE_BINS = 15
"""Of equal width over confidence, as in our presets."""

Table = list[list[str]]
"""Rows of cells, the headings first."""


@dataclass(frozen=True)
class _Judged:
    """A photo of which the truth is known."""

    answer: Answer
    truth: Mapping[str, str]
    """The true taxon at each rank where it is known."""


def score_answers(lines: Sequence[Line], labels: Labels, calibration: Calibration, num_top: int) -> Iterator[Table]:
    """How right the likeliest taxa are at each rank, then what is named, and how often wrongly.

    Labels are names of taxa of any rank; a photo counts at its own rank and those above it. Nothing where no label is
    known.
    """
    judged = list(_judge(lines, labels))
    if judged:
        yield _score_ranks(judged, labels, num_top)
        yield _score_names(judged, labels, calibration)


def find_strange(lines: Sequence[Line], labels: Labels) -> str:
    """Labels that the guide does not know, the first few by name."""
    known = {name for names in labels.classes.values() for name in names}
    strange = sorted({tidy(line.label) for line in lines if line.answer and line.label} - known)
    more = f" and {len(strange) - MOST_NAMED} more" if len(strange) > MOST_NAMED else ""
    return ", ".join(strange[:MOST_NAMED]) + more


def _judge(lines: Sequence[Line], labels: Labels) -> Iterator[_Judged]:
    # The finest rank last: it is meant where two ranks have one name.
    known = {name: rank for rank in reversed(climb(labels.classes)) for name in labels.classes[rank]}
    for line in lines:
        name = tidy(line.label or "")
        if line.answer and name in known:
            above = labels.parents.get(known[name], {}).get(name, {})
            yield _Judged(line.answer, {**above, known[name]: name})


def _score_ranks(judged: Sequence[_Judged], labels: Labels, num_top: int) -> Table:
    num_top = min(num_top, 5)
    top = [f"top-{num_top} %"] if num_top > 1 else []
    table = [["rank", "photos", "top-1 %", "95 % interval", *top, "macro F1 %", "ECE calibrated"]]
    for rank in climb(labels.classes):
        asked = [(each.truth[rank], each.answer.top[rank]) for each in judged if rank in each.truth]
        if not asked:
            continue
        index = {name: place for place, name in enumerate(labels.classes[rank])}
        truth = np.array([index[name] for name, _ in asked])
        first = np.array([index[taxa[0].name] for _, taxa in asked])
        is_right = first == truth
        among = np.mean([name in [taxon.name for taxon in taxa[:num_top]] for name, taxa in asked])
        confidence = np.array([taxa[0].probability for _, taxa in asked])
        ece = measure_reliability(confidence, is_right, ECE_BINS).ece
        rates = [_percent(is_right.mean()), _interval(int(is_right.sum()), len(asked))]
        rates += [_percent(float(among))] if top else []
        table.append([rank, f"{len(asked):,}", *rates, _percent(macro_f1(first, truth)), f"{ece:.3f}"])
    return table


def _score_names(judged: Sequence[_Judged], labels: Labels, calibration: Calibration) -> Table:
    ranks, thresholds = climb(labels.classes), calibration.rules.find(Situation.ONE).thresholds
    named = [each for each in judged if each.answer.verdict is Verdict.TAXON]
    wrong = sum(each.truth.get(each.answer.taxon.rank) != each.answer.taxon.name for each in named)
    num = len(judged)
    at_rank = [sum(each.answer.taxon.rank == rank for each in named) / num for rank in ranks]
    wrongly = ["wrong names %", "95 % interval", "of its names right %"]
    return [
        ["asks for %", *(f"{rank} %" for rank in ranks), "nothing %", *wrongly],
        [
            ", ".join(_percent(thresholds[rank]) for rank in ranks if rank in thresholds),
            *map(_percent, at_rank),
            _percent(1 - len(named) / num),
            _percent(wrong / num),
            _interval(wrong, num),
            _percent(1 - wrong / len(named)) if named else "-",
        ],
    ]


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f}"


def _interval(num_hits: int, num: int) -> str:
    low, high = find_interval(num_hits, num)
    return f"{100 * low:.0f} to {100 * high:.0f}"
