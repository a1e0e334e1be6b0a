"""Evaluates one model on the test and held-out photos: its answers, its scores and its part of the report."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.catalogue.splits import HELD_OUT, Split
from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.drawing import save_figure
from fieldguide.evaluate.answers import Answers, EvaluatedModel, answer, calibrate
from fieldguide.evaluate.attention import draw_attention, score_attention
from fieldguide.evaluate.decision import score_decision, score_lists
from fieldguide.evaluate.familiar import Familiar
from fieldguide.evaluate.familiarity import acquaint
from fieldguide.evaluate.fusion import choose_exponent, read_observations, score_fusion
from fieldguide.evaluate.place import PlacedRecords, choose_prior, score_place
from fieldguide.evaluate.prior import Prior
from fieldguide.evaluate.rebalancing import describe_outcomes, keep_best, open_trials, summarise, watched
from fieldguide.evaluate.report import Figure, ModelPage, draw_figures, show_mistakes
from fieldguide.evaluate.rules import Rules, Situation
from fieldguide.evaluate.scores import ScoreRules, count_photos, name_frequencies, score, score_calibration
from fieldguide.evaluate.seen_unseen import score_held_out
from fieldguide.evaluate.situations import Told, choose_rules, score_situations
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
    val: Answers | None
    """To the validation photos; None where none are of its classes."""
    page: ModelPage
    """Its numbers, and all that the report shows."""
    prior: Prior
    """What place and season say beside it."""
    familiar: Familiar | None
    """Where its training photos lie; None of what has no classifier."""
    rules: Rules
    """When it answers."""


def evaluate_model(model: EvaluatedModel, data: EvaluationData, confused_pairs: int, out: Path) -> Evaluated:
    """Calibrate `model`, ask it about the test photos, and draw its figures into `out`.

    `confused_pairs` is how many mistakes the report shows.
    """
    model, familiar = acquaint(model, data.train)
    on_val, counts = open_trials(model, data.train)
    temperatures, rules = calibrate(watched(model, on_val), data.val), data.rules
    on_test = keep_best(on_val)
    val_observed, test_observed = (data.observations[each.split] for each in (data.val, data.test))
    train_placed, val_placed, test_placed = (data.placed[each.split] for each in (data.train, data.val, data.test))
    exponent = choose_exponent(model, data.val, val_observed)
    prior = choose_prior(model, temperatures, train_placed, val_placed, rules.max_prior_bytes)
    told = Told(model, temperatures, exponent, prior)
    chosen = choose_rules(told, val_placed, val_observed, rules)
    limits, rule = chosen.limits[Situation.ONE], chosen.rules.find(Situation.ONE)
    val = told.ask(Situation.ONE, val_placed, val_observed)
    answers = answer(watched(model, on_test), temperatures, data.test, limits)
    outcomes = describe_outcomes(on_val, on_test, counts, rules.frequency)
    recalls = list_recalls(val, answers, data.num_train) if val else []
    fused = score_fusion(model, temperatures, chosen.rules, exponent, data.test, test_observed)
    placed = score_place(model, temperatures, chosen.rules, prior, test_placed)
    held_out = score_held_out(model, temperatures, rule, answers, data.held_out, rules)
    frequencies = name_frequencies(answers.first, data.num_train, rules)
    looks = model.look(data.test)
    scores: dict[str, Any] = {
        **score(answers, data.test.regions, data.num_train, rules),
        "answer": {
            "max_error": rules.max_error,
            "max_strange": rules.max_strange,
            **score_decision(answers, rule),
            **score_calibration(answers, rules.ece_bins),
            **score_lists(answers, rules.set_coverage, limits, frequencies),
            "situations": score_situations(told, chosen, answers, test_placed, test_observed, rules),
            **fused,
            **{
                f"{part}_{name}": held_out.get(part, {}).get(name)
                for part in (Split.UNSEEN, Split.BLANK)
                for name in ("refused", "refused_interval")
            },
        },
        **({"place": placed} if placed else {}),
        **({"attention": score_attention(looks)} if looks else {}),
        **({"rebalanced": summarise(outcomes)} if outcomes else {}),
        **held_out,
    }
    figures = draw_figures(answers, rule, scores["answer"], data.num_train, rules, data.taxonomy, out)
    if looks:
        figures.append(Figure("Attention", out / f"attention-{model.name}.png"))
        save_figure(draw_attention(looks, model.name), figures[-1].path)
    mistakes = show_mistakes(answers, confused_pairs, data.train, data.test)
    page = ModelPage(model.name, model.region, scores, figures, mistakes, recalls, outcomes)
    tested = chosen.rules.with_test(scores["answer"]["situations"])
    return Evaluated(answers, val, page, prior, familiar, tested)
