"""A model's answers up the taxonomy: probabilities at every rank that agree with each other, and what may be said.

web/answer.js says the same to the reader of the page; tests/web/answers.json holds cases for both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from fieldguide.catalogue.taxonomy import OTHER, Lineage
from fieldguide.evaluate.calibration import to_probabilities


class Verdict(StrEnum):
    """What may be said of a photo."""

    TAXON = "taxon"
    """The finest taxon of which the model is sure enough."""
    OUTSIDE = "outside"
    """It is sure of no taxon, and the likeliest class of the broadest rank is `other`."""
    UNSURE = "unsure"
    """It is sure of no taxon; the likeliest one of the broadest rank is all that it can offer."""
    STRANGE = "strange"
    """It looks too little like the photos that the model was taught with, whatever taxon is the likeliest."""

    @property
    def is_nothing(self) -> bool:
        """Whether nothing in the guide is what is said."""
        return self in (Verdict.OUTSIDE, Verdict.STRANGE)


@dataclass(frozen=True)
class Candidates:
    """The likeliest classes of one rank for n photos."""

    likeliest: np.ndarray
    """Index of the likeliest class, `other` included: int64 [n]."""
    likelihood: np.ndarray
    """Its probability: float32 [n]."""
    named: np.ndarray
    """Index of the likeliest class that is not `other`: int64 [n]."""
    confidence: np.ndarray
    """Its probability, less than 0 if there is no such class: float32 [n]."""

    @classmethod
    def of(cls, probabilities: np.ndarray, other: int) -> "Candidates":
        """Of probabilities [n, num_classes], of which `other` is the index of that class."""
        named = probabilities.copy()
        named[:, other] = -1
        return cls(probabilities.argmax(axis=1), probabilities.max(axis=1), named.argmax(axis=1), named.max(axis=1))


@dataclass(frozen=True)
class Conclusions:
    """What may be said of n photos."""

    verdicts: np.ndarray
    """Verdict of each photo: object [n]."""
    ranks: np.ndarray
    """Name of the rank that is answered: object [n]."""
    places: np.ndarray
    """Class at that rank, as an index into its classes: int64 [n]; `other` of what is strange."""
    confidence: np.ndarray
    """Its probability, 0 of what is strange: float32 [n]."""


def climb(classes: Mapping[str, Sequence[str]]) -> list[str]:
    """Ranks from the finest to the broadest: the one classified first, then by falling number of classes."""
    first, *higher = classes
    return [first, *sorted(higher, key=lambda rank: -len(classes[rank]))]


def fuse(logits: np.ndarray, exponent: float) -> np.ndarray:
    """What photos of one subject say together: float32 [batch, classes] of logits [batch, num_photos, classes].

    Their mean, the geometric mean of the photos' probabilities, is right where they say the same thing over again;
    their sum where each says something of its own. In between lies the mean times num_photos ^ exponent.
    """
    fused: np.ndarray = logits.mean(axis=1) * np.float32(logits.shape[1] ** exponent)
    return fused


def inform(logits: np.ndarray, log_factors: np.ndarray, temperature: float) -> np.ndarray:
    """First-rank logits float32 [n, num_classes], told of what multiplies their probabilities at `temperature`.

    `log_factors` float32 [n, num_classes] are those of a prior.
    """
    informed: np.ndarray = logits + np.float32(temperature) * log_factors
    return informed


def sum_up(
    logits: Mapping[str, np.ndarray],
    temperatures: Mapping[str, float],
    classes: Mapping[str, Sequence[str]],
    parents: Mapping[str, Mapping[str, Lineage]],
) -> dict[str, np.ndarray]:
    """Probabilities float32 [n, classes of the rank] at each rank, whose rows add up to 1.

    The first rank speaks for all it can name. What it calls `other` is shared out by the next broader rank, and so on
    up; a rank without logits leaves it as it is. A taxon has its own share and that of everything below it, so a genus
    is never less likely than one of its species. Ranks without a temperature have that of 1.
    """
    shares: dict[str, np.ndarray] = {}
    summed: dict[str, np.ndarray] = {}
    unnamed = np.ones((len(next(iter(logits.values()))), 1), np.float32)
    for rank in climb(classes):
        names = classes[rank]
        other = names.index(OTHER)
        if rank in logits:
            own = unnamed * to_probabilities(logits[rank], temperatures.get(rank, 1.0))
        else:
            own = np.zeros((len(unnamed), len(names)), np.float32)
            own[:, [other]] = unnamed
        total = own.copy()
        for finer, share in shares.items():
            np.add.at(total.T, _places(classes[finer], names, parents.get(finer, {}), rank), share.T)
        unnamed = own[:, [other]]
        own[:, other] = 0
        shares[rank], summed[rank] = own, total
    return summed


def _places(finer: Sequence[str], names: Sequence[str], parents: Mapping[str, Lineage], rank: str) -> np.ndarray:
    """Index among `names` of the taxon at `rank` above each of `finer`, `other` where there is none: int64."""
    index = {name: place for place, name in enumerate(names)}
    return np.array([index.get(parents.get(name, {}).get(rank, OTHER), index[OTHER]) for name in finer], np.int64)


def conclude(
    candidates: Mapping[str, Candidates],
    classes: Mapping[str, Sequence[str]],
    thresholds: Mapping[str, float],
    is_strange: np.ndarray,
) -> Conclusions:
    """What may be said of photos whose `candidates` at every rank are those of probabilities that `sum_up` returns.

    `thresholds` say how likely a taxon of each rank must be to be named; at a rank without one none is. Nor is one of
    photos that `is_strange`, bool [n], holds to be unlike all that the model knows.
    """
    *_, broadest = order = climb(classes)
    widest = candidates[broadest]
    other = classes[broadest].index(OTHER)
    verdicts = np.array([Verdict.UNSURE] * len(widest.likeliest), object)  # np.full would make a str of it
    verdicts[widest.likeliest == other] = Verdict.OUTSIDE
    ranks, places = np.full(len(verdicts), broadest, object), widest.likeliest.copy()
    confidence = widest.likelihood.copy()
    for rank in reversed(order):
        # A finer rank that is sure overrules the broader ones.
        found = candidates[rank]
        sure = found.confidence >= thresholds.get(rank, np.inf)
        verdicts[sure], ranks[sure] = Verdict.TAXON, rank
        places[sure], confidence[sure] = found.named[sure], found.confidence[sure]
    verdicts[is_strange], ranks[is_strange] = Verdict.STRANGE, broadest
    places[is_strange], confidence[is_strange] = other, 0
    return Conclusions(verdicts, ranks, places, confidence)
