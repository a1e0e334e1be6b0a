"""What a model makes of photos kept from training: of species that it knows, of others, and of no organism at all."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from fieldguide.catalogue.splits import Split
from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.evaluate.answers import Answers, EvaluatedModel, answer_at, concerned_photos, lie_in_region
from fieldguide.evaluate.decision import find_wrong, say
from fieldguide.evaluate.rates import DIGITS, rate
from fieldguide.evaluate.rules import Rule
from fieldguide.evaluate.scores import ScoreRules, score_rank
from fieldguide.learn.labels import UNKNOWN, map_labels
from fieldguide.records.reader import RecordSet

KEPT_SHARE = 0.95
"""The share of photos of known species that must count as known, when fpr95 is measured."""


def score_held_out(
    model: EvaluatedModel,
    temperatures: dict[str, float],
    rule: Rule,
    known: Answers,
    held_out: Mapping[str, RecordSet],
    rules: ScoreRules,
) -> dict[str, Any]:
    """A model's numbers on each held-out split that has photos for it; `known` are its answers on the test photos.

    `refused` is the share of photos of unknown species, or of no organism, to which no wrong taxon is given.
    """
    scores: dict[str, Any] = {}
    for split, records in held_out.items():
        is_known = split == Split.SEEN
        indices, labels = (concerned_photos if is_known else _strange_photos)(model, records)
        if not len(indices):
            continue
        answers = answer_at(model, temperatures, records, indices, labels)
        ranks = {rank: score_rank(at_rank, rules.ece_bins) for rank, at_rank in answers.ranks.items()}
        first, *higher = ranks
        if is_known:
            scores[split] = {**ranks[first], "ranks": ranks}
            continue
        # No answer at the first rank is right: what counts is how sure of it the model is.
        wrong = find_wrong(say(answers, rule), answers.ranks)
        scores[split] = {
            "num_photos": len(indices),
            **score_novelty(known, answers),
            **rate("refused", ~wrong),
            **({"ranks": {rank: ranks[rank] for rank in higher}} if split == Split.UNSEEN else {}),
        }
    return scores


def score_novelty(known: Answers, unknown: Answers) -> dict[str, Any]:
    """How well confidence tells photos of unknown species from those of known ones, and how well familiarity does.

    `auroc`: how often a known one is the surer of the two. `fpr95`: the share of unknown ones of which the model is as
    sure as of the surest 95 % of the known. As in Hendrycks and Gimpel, A Baseline for Detecting Misclassified and
    Out-of-Distribution Examples in Neural Networks, ICLR 2017, with the calibrated probability of the first answer
    that is a species; `familiarity` has the same of how familiar they look. Photos that are labelled `other` count for
    neither. Empty if there is no known photo.
    """
    own = np.array([known.first.classes[label] != OTHER for label in known.first.labels.tolist()], bool)
    if not own.any():
        return {}
    by_confidence = _tell_apart(known.first.calibrated.named[own], unknown.first.calibrated.named)
    if known.familiarity is None or unknown.familiarity is None:
        return {**by_confidence}
    return {**by_confidence, "familiarity": _tell_apart(known.familiarity[own], unknown.familiarity)}


def _tell_apart(known: np.ndarray, unknown: np.ndarray) -> dict[str, float]:
    is_known = np.concatenate([np.ones(len(known)), np.zeros(len(unknown))])
    level = np.quantile(known, 1 - KEPT_SHARE, method="lower")
    return {
        "auroc": round(float(roc_auc_score(is_known, np.concatenate([known, unknown]))), DIGITS),
        "fpr95": round(float((unknown >= level).mean()), DIGITS),
    }


def _strange_photos(model: EvaluatedModel, records: RecordSet) -> tuple[np.ndarray, np.ndarray]:
    """Positions int64 [n] of the photos of a model's region, and their labels int64 [n, num_ranks].

    A label that is `other` says nothing of a photo's relatives, so it is UNKNOWN.
    """
    labels = map_labels(records, model.classes, list(model.classes))
    for column, classes in enumerate(model.classes.values()):
        if OTHER in classes:
            labels[labels[:, column] == classes.index(OTHER), column] = UNKNOWN
    indices = np.flatnonzero(lie_in_region(model, records))
    return indices, labels[indices]
