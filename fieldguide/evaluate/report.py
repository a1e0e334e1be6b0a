"""The report: one self-contained HTML page, from scores, figures and photos of the worst mistakes."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.drawing import save_figure
from fieldguide.evaluate.answers import Answers
from fieldguide.evaluate.confusion import ConfusedPair, count_confusions, find_confused_pairs, order_by_lineage
from fieldguide.evaluate.figures import draw_accuracy_by_count, draw_confusion, draw_reliability
from fieldguide.evaluate.metrics import measure_reliability
from fieldguide.evaluate.rebalancing import Outcome, write_outcomes
from fieldguide.evaluate.risk import draw_coverage, draw_risk, trace_risk
from fieldguide.evaluate.rules import Rule
from fieldguide.evaluate.scores import ScoreRules
from fieldguide.evaluate.weak_classes import ClassRecall, write_recalls
from fieldguide.files import written_whole
from fieldguide.learn.labels import UNKNOWN
from fieldguide.pages import page_environment
from fieldguide.records.reader import Record, RecordSet

TEMPLATE = "report.html.j2"
MAX_EXAMPLES = 3
"""Photos shown of each kind of mistake."""
NUM_WEAK = 12
"""Classes shown of those that are recognised least; classes.csv has all."""


@dataclass(frozen=True)
class Figure:
    """A picture in the page."""

    title: str
    path: Path


@dataclass(frozen=True)
class Mistake:
    """A confused pair with pictures as data URIs."""

    pair: ConfusedPair
    mistaken: list[str]
    """Photos of the actual class that were taken for the predicted one."""
    typical: list[str]
    """Training photos of the predicted class, to compare with."""


@dataclass(frozen=True)
class ModelPage:
    """One model's part of the page."""

    name: str
    region: str | None
    scores: dict[str, Any]
    figures: list[Figure]
    mistakes: list[Mistake]
    recalls: list[ClassRecall] = field(default_factory=list)
    """Of every class, the weakest first."""
    outcomes: list[Outcome] = field(default_factory=list)
    """What adjusting its classifier would change."""


def draw_figures(
    answers: Answers,
    rule: Rule,
    said: Mapping[str, Any],
    num_train: dict[str, int],
    rules: ScoreRules,
    taxonomy: Taxonomy,
    out: Path,
) -> list[Figure]:
    """Draw and save a model's figures as `KIND-MODEL.png`: confusion, reliability, coverage, risk and accuracy.

    `said` is what score_decision found under `rule`.
    """
    first, model = answers.first, answers.model
    order, blocks = order_by_lineage(first.classes, taxonomy)
    names = [first.classes[index] for index in order]
    confusion = draw_confusion(count_confusions(first)[order][:, order], names, blocks, model)
    raw, calibrated = (
        measure_reliability(confidence.best[:, 0], first.is_right, rules.ece_bins)
        for confidence in (first.raw, first.calibrated)
    )
    reliability = draw_reliability(raw, calibrated, first.temperature, model)
    seen = np.unique(first.labels)
    totals = np.bincount(first.labels)
    right = np.bincount(first.labels, first.is_right)
    accuracy = draw_accuracy_by_count(
        np.array([num_train.get(first.classes[label], 0) for label in seen.tolist()], np.int64),
        right[seen] / totals[seen],
        [first.classes[label] for label in seen.tolist()],
        (rules.frequency.few_below, rules.frequency.many_above),
        model,
    )
    risk = trace_risk(answers, rule)
    figures = []
    for kind, title, drawn in (
        ("confusion", "Confusion matrix", confusion),
        ("reliability", "Reliability", reliability),
        ("coverage", "Risk against coverage", draw_coverage(risk, said, model)),
        ("risk", "What is said, and how often wrongly", draw_risk(risk, rule, rules.max_error, model)),
        ("accuracy", "Accuracy against training photos", accuracy),
    ):
        figures.append(Figure(title, out / f"{kind}-{model}.png"))
        save_figure(drawn, figures[-1].path)
    return figures


def show_mistakes(answers: Answers, num: int, train: RecordSet, test: RecordSet) -> list[Mistake]:
    """The `num` most frequent confusions of a model with photos of both sides."""
    rank = test.taxonomy.ranks[0]
    train_labels = train.labels(rank)
    mistakes = []
    for pair in find_confused_pairs(answers.first, num):
        rows = answers.indices[pair.examples[:MAX_EXAMPLES]].tolist()
        # Classes are matched by name; one that the records do not know has no photos to show.
        label = test.taxonomy.index(rank).get(pair.predicted, UNKNOWN)
        typical = np.flatnonzero(train_labels == label)[:MAX_EXAMPLES].tolist()
        mistakes.append(
            Mistake(
                pair=pair,
                mistaken=[show_photo(test[row]) for row in rows],
                typical=[show_photo(train[row]) for row in typical],
            )
        )
    return mistakes


def write_report(
    path: Path,
    pages: Sequence[ModelPage],
    num_test: int,
    ranks: Sequence[str],
    num_bins: int,
    few_shot: Mapping[str, Any],
) -> None:
    """Write the page, whole or not at all. Pictures and styles are inside; it has no script and loads nothing."""
    environment = page_environment(Path(__file__).parent)
    environment.filters |= {"percent": lambda rate: f"{100 * rate:.1f}", "thousands": lambda number: f"{number:,}"}
    environment.filters["picture"] = lambda file: to_data_uri(file.read_bytes(), "png")
    page = environment.get_template(TEMPLATE).render(
        pages=pages, num_test=num_test, ranks=ranks, num_bins=num_bins, few_shot=few_shot, num_weak=NUM_WEAK
    )
    with written_whole(path) as temporary:
        temporary.write_text(page + "\n", encoding="utf-8")


def write_class_tables(out: Path, pages: Sequence[ModelPage]) -> None:
    """Write classes.csv and rebalancing.csv: in full what the page shows the beginning of."""
    write_recalls(out / "classes.csv", {page.name: page.recalls for page in pages})
    write_outcomes(out / "rebalancing.csv", {page.name: page.outcomes for page in pages})


def show_photo(record: Record) -> str:
    """The part of a record's image that is photo, not padding, as a data URI."""
    stream = io.BytesIO()
    with Image.open(io.BytesIO(record.image)) as image:
        image.crop(record.box).save(stream, "JPEG", quality=88)
    return to_data_uri(stream.getvalue(), "jpeg")


def to_data_uri(content: bytes, kind: str) -> str:
    """An image file as a `data:` address."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
