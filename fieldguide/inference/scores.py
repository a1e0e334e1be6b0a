"""How often answers to labelled photos are right."""

from collections.abc import Iterator, Sequence

from fieldguide.evaluate.tree import Verdict, climb
from fieldguide.export.model_files import Labels
from fieldguide.inference.journal import Line
from fieldguide.text import tidy

MOST_NAMED = 5


def score_answers(lines: Sequence[Line], labels: Labels, num_top: int) -> Iterator[tuple[str, str]]:
    """What is counted and its value, for each rank of which labels name classes, and for what was answered."""
    labelled = [(tidy(line.label), line.answer) for line in lines if line.answer and line.label]
    known = {name: rank for rank in reversed(climb(labels.classes)) for name in labels.classes[rank]}
    judged = [(name, known[name], answer) for name, answer in labelled if name in known]
    for rank in climb(labels.classes):
        placed = [(_place(name, at, rank, labels), answer) for name, at, answer in judged]
        asked = [(name, answer) for name, answer in placed if name]
        if asked:
            first = sum(answer.top[rank][0].name == name for name, answer in asked)
            among = sum(any(taxon.name == name for taxon in answer.top[rank]) for name, answer in asked)
            rates = f"top-1 {first / len(asked):.1%}, top-{num_top} {among / len(asked):.1%}"
            yield rank, f"{rates} ({len(asked):,} photos)"
    said = [(name, at, answer) for name, at, answer in judged if answer.verdict is Verdict.TAXON]
    if judged:
        right = sum(_place(name, at, answer.taxon.rank, labels) == answer.taxon.name for name, at, answer in said)
        share = f", right {right / len(said):.1%} of these" if said else ""
        yield "answered", f"{len(said) / len(judged):.1%}{share}"
    if strange := sorted({name for name, _ in labelled if name not in known}):
        more = f" and {len(strange) - MOST_NAMED} more" if len(strange) > MOST_NAMED else ""
        yield "labels not in this guide", ", ".join(strange[:MOST_NAMED]) + more


def _place(name: str, at: str, rank: str, labels: Labels) -> str | None:
    """The taxon at `rank` that `name`, a taxon at the rank `at`, belongs to; None where that is not known."""
    return name if at == rank else labels.parents.get(at, {}).get(name, {}).get(rank)
