"""What is said of one photo, in names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fieldguide.catalogue.taxonomy import OTHER
from fieldguide.evaluate.answer_sets import count_members
from fieldguide.evaluate.rules import Situation
from fieldguide.evaluate.tree import Candidates, Verdict, climb, conclude, sum_up
from fieldguide.export.model_files import Calibration, Labels


@dataclass(frozen=True)
class Taxon:
    """A class of one rank and how likely it is."""

    rank: str
    name: str
    """Scientific name; `other`: nothing that the guide knows."""
    probability: float
    """Calibrated, in [0, 1]; that of a genus holds those of its species."""
    vernacular: str = ""
    lineage: Mapping[str, str] = field(default_factory=dict)
    """The taxa above it by rank, the nearest first."""


@dataclass(frozen=True)
class Answer:
    """What a model says of one photo."""

    verdict: Verdict
    taxon: Taxon
    """The finest taxon of which the model is sure enough, else the likeliest one of the broadest rank. Where a photo is
    strange it is `other` of that rank, and its probability says nothing."""
    top: Mapping[str, Sequence[Taxon]]
    """By rank its likeliest taxa, the likeliest first."""
    max_error: float | None = None
    """The share of photos asked about in this way that may get a wrong taxon; None where that was not measured."""
    num_likely: int | None = None
    """How many of the finest rank's likeliest taxa are on the short list; None where there is none."""


def conclude_answers(
    logits: np.ndarray,
    labels: Labels,
    calibration: Calibration,
    num_top: int,
    situation: Situation | None = Situation.ONE,
    familiarity: np.ndarray | None = None,
) -> list[Answer]:
    """Answers to logits float32 [n, num_outputs], with the `num_top` likeliest taxa of every rank.

    `familiarity` float32 [n] is how familiar the photos look (evaluate/familiar.py); None: nobody can say.

    `situation` is what the model was told of; None: something that no evaluation knows, like a guide of some regions.
    """
    if (left_out := labels.left_out) is not None:
        logits, situation = np.where(left_out, -np.inf, logits).astype(np.float32), None
    ends = np.cumsum([len(labels.classes[rank]) for rank in labels.ranks])
    heads = dict(zip(labels.ranks, np.split(logits, ends[:-1], axis=1), strict=True))
    summed = sum_up(heads, calibration.temperatures, labels.classes, labels.parents)
    candidates = {rank: Candidates.of(rows, labels.classes[rank].index(OTHER)) for rank, rows in summed.items()}
    rule = calibration.rules.find(situation)
    is_strange = rule.find_strange(familiarity, len(logits))
    concluded = conclude(candidates, labels.classes, rule.thresholds, is_strange)
    best = {rank: np.argsort(-rows, axis=1, kind="stable")[:, :num_top] for rank, rows in summed.items()}
    order = climb(labels.classes)
    max_error = calibration.max_error if rule.num_chosen_by else None
    limit = rule.set_limit
    num_likely = None if limit is None else count_members(summed[order[0]], limit, calibration.set_penalty).tolist()

    def name(photo: int, rank: str, place: int) -> Taxon:
        called = labels.classes[rank][place]
        above = labels.parents.get(rank, {}).get(called, {})
        lineage = {higher: above[higher] for higher in order if higher in above}
        return Taxon(rank, called, float(summed[rank][photo, place]), labels.vernacular.get(called, ""), lineage)

    return [
        Answer(
            concluded.verdicts[photo],
            name(photo, concluded.ranks[photo], int(concluded.places[photo])),
            {rank: [name(photo, rank, place) for place in best[rank][photo].tolist()] for rank in order},
            max_error,
            num_likely[photo] if num_likely else None,
        )
        for photo in range(len(logits))
    ]
