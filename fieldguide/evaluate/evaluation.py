"""Evaluates one model on the test and held-out photos: its answers, its scores and its part of the report."""

from dataclasses import dataclass
from pathlib import Path

from fieldguide.catalogue.splits import HELD_OUT, Split
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.evaluate.answers import Answers, EvaluatedModel, answer, calibrate, concerned_photos
from fieldguide.evaluate.decision import choose_masses, decide, score_decision, score_lists
from fieldguide.evaluate.fusion import choose_exponent, read_observations, score_fusion
from fieldguide.evaluate.place import PlacedRecords, choose_prior, score_place
from fieldguide.evaluate.prior import Prior
from fieldguide.evaluate.rebalancing import describe_outcomes, keep_best, open_trials, summarise, watched
from fieldguide.evaluate.report import ModelPage, draw_figures, show_mistakes
from fieldguide.evaluate.scores import ScoreRules, count_photos, score, score_calibration
from fieldguide.evaluate.seen_unseen import score_held_out
from fieldguide.evaluate.weak_classes import list_recalls
from fieldguide.records.manifest import Manifest
from fieldguide.records.reader import RecordSet


@dataclass(frozen=True)
class EvaluationData:
    """What every model is evaluated on, and the rules."""

    train: RecordSet
    val: RecordSet
    test: RecordSet
    held_out: dict[str, RecordSet]
    """By split (seen, unseen): those that the data set has."""
    num_train: dict[str, int]
    """Training photos of each class at the first rank."""
    observations: dict[str, list[str | None]]
    """Of each record of val and test, by split."""
    placed: dict[str, PlacedRecords]
    """Where and when the photos of train, val and test were taken, by split."""
    rules: ScoreRules

    @classmethod
    def open(cls, tfrecord: Path, split: Path, rules: ScoreRules) -> "EvaluationData":
        """The splits of a finished tfrecord folder; `split` is that of the split stage. Raises RecordError or
        CatalogueError."""
        train, val, test = (RecordSet.open(tfrecord, split) for split in ("train", "val", "test"))
        written = Manifest.read(tfrecord).splits
        held_out = {part.value: RecordSet.open(tfrecord, part) for part in HELD_OUT if part in written}
        table = split / "split.parquet"
        observations = {each.split: read_observations(table, each) for each in (val, test)}
        placed = {each.split: PlacedRecords.read(each, table) for each in (train, val, test)}
        return cls(train, val, test, held_out, count_photos(train), observations, placed, rules)

    @property
    def taxonomy(self) -> Taxonomy:
        """That of the records."""
        return self.test.taxonomy


@dataclass(frozen=True)
class Evaluated:
    """What came of one model."""

    answers: Answers
    """To the test photos."""
    page: ModelPage
    """Its numbers, and all that the report shows."""
    prior: Prior
    """What place and season say beside it."""


def evaluate_model(model: EvaluatedModel, data: EvaluationData, confused_pairs: int, out: Path) -> Evaluated:
    """Calibrate `model`, ask it about the test photos, and draw its figures into `out`.

    `confused_pairs` is how many mistakes the report shows.
    """
    on_val, counts = open_trials(model, data.train)
    temperatures = calibrate(watched(model, on_val), data.val)
    on_test = keep_best(on_val)
    has_val = len(concerned_photos(model, data.val)[0])
    val = answer(model, temperatures, data.val) if has_val else None
    decision = decide(model.name, val, data.rules.max_error)
    masses = choose_masses(val, model.classes, data.rules.set_coverage)
    answers = answer(watched(model, on_test), temperatures, data.test, masses)
    outcomes = describe_outcomes(on_val, on_test, counts, data.rules.frequency)
    recalls = list_recalls(val, answers, data.num_train) if val else []
    observed = data.observations
    exponent = choose_exponent(model, data.val, observed[data.val.split])
    fused = score_fusion(model, temperatures, decision, exponent, data.test, observed[data.test.split])
    train_placed, val_placed, test_placed = (data.placed[each.split] for each in (data.train, data.val, data.test))
    prior = choose_prior(model, temperatures, train_placed, val_placed)
    placed = score_place(model, temperatures, decision, prior, test_placed)
    held_out = score_held_out(model, temperatures, decision, answers, data.held_out, data.rules)
    scores = {
        **score(answers, data.test.regions, data.num_train, data.rules),
        "answer": {
            **score_decision(answers, decision),
            **score_calibration(answers, data.rules.ece_bins),
            **score_lists(answers, data.rules.set_coverage, masses),
            **fused,
            "unseen_refused": held_out.get(Split.UNSEEN, {}).get("refused"),
        },
        **({"place": placed} if placed else {}),
        **({"rebalanced": summarise(outcomes)} if outcomes else {}),
        **held_out,
    }
    figures = draw_figures(answers, decision, data.num_train, data.rules, data.taxonomy, out)
    mistakes = show_mistakes(answers, confused_pairs, data.train, data.test)
    return Evaluated(answers, ModelPage(model.name, model.region, scores, figures, mistakes, recalls, outcomes), prior)
