"""What adjusting a finished classifier would change: the options of `rebalance`, tried without training anything.

How strongly an option acts is chosen on val, as training would (learn/rebalancing.py); what it gives is said of val and
of the test photos. Each rank's head is judged alone, before anything is summed up the tree.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from fieldguide.evaluate.answers import EvaluatedModel, Logits, lie_in_region
from fieldguide.evaluate.metrics import find_interval
from fieldguide.evaluate.rates import DIGITS
from fieldguide.learn.labels import UNKNOWN, map_labels
from fieldguide.learn.rebalancing import STRENGTHS, Trials
from fieldguide.learn.training_params import Rebalancing
from fieldguide.records.reader import RecordSet
from fieldguide.split.frequency import Frequency, name_frequency
from fieldguide.split.params import FrequencyParams
from fieldguide.spreadsheet import write_csv

METHODS: tuple[Rebalancing, ...] = get_args(Rebalancing)
AS_TRAINED = "as trained"
AllTrials = dict[tuple[str, Rebalancing], Trials]
"""By rank and method."""


@dataclass(frozen=True)
class Group:
    """The photos of the classes of one bin."""

    num_right: int
    num_photos: int

    @property
    def accuracy(self) -> float:
        """Share of the photos that are right."""
        return self.num_right / self.num_photos

    @property
    def interval(self) -> tuple[float, float]:
        """Of the accuracy, 95 %."""
        return find_interval(self.num_right, self.num_photos)


@dataclass(frozen=True)
class Outcome:
    """What one option gives at one rank on the photos of one split."""

    rank: str
    option: str
    """A method of `rebalance`, or AS_TRAINED."""
    strength: float
    split: str
    macro: float
    """Mean accuracy of the classes that have photos."""
    whole: Group
    """All photos whose class the model knows."""
    groups: dict[Frequency, Group]
    """Those of classes with few, medium and many training photos, where there are any."""


def open_trials(model: EvaluatedModel, train: RecordSet) -> tuple[AllTrials, dict[str, np.ndarray]]:
    """Trials of every method at every rank with a head, and training photos of each class, by rank: int64 [classes].

    Counted are photos as they are, not as `balance_fraction` drew them, which changes the strength that is best and
    nothing else.
    """
    if model.lengths is None:
        return {}, {}
    ranks = list(model.lengths)
    labels = map_labels(train, model.classes, ranks)[lie_in_region(model, train)]
    counts = {
        rank: np.bincount(own[own != UNKNOWN], minlength=len(model.classes[rank]))
        for rank, own in zip(ranks, labels.T, strict=True)
    }
    trials = {
        (rank, method): Trials.of(method, lengths, counts[rank].astype(np.float64))
        for rank, lengths in model.lengths.items()
        for method in METHODS
    }
    return trials, counts


def keep_best(trials: AllTrials) -> AllTrials:
    """Of every option strength 0, as trained, and the best; nothing counted yet."""
    return {key: trial.only([0, trial.best]) for key, trial in trials.items()}


def watched(model: EvaluatedModel, trials: AllTrials) -> EvaluatedModel:
    """The same model; whatever it is asked about counts in `trials`, so that no photo is asked about twice for them."""

    def predict(records: RecordSet, indices: np.ndarray) -> Iterator[Logits]:
        ranks = list(model.lengths or {})
        labels = map_labels(records, model.classes, ranks)[indices]
        start = 0
        for batch in model.predict(records, indices):
            end = start + len(next(iter(batch.values())))
            for (rank, _), trial in trials.items():
                trial.add(batch[rank], labels[start:end, ranks.index(rank)])
            start = end
            yield batch

    return replace(model, predict=predict) if trials else model


def describe_outcomes(
    on_val: AllTrials, on_test: AllTrials, counts: Mapping[str, np.ndarray], frequency: FrequencyParams
) -> list[Outcome]:
    """What came of the trials on val, and on the test photos with the strengths that val chose (`keep_best`).

    `counts` are training photos of each class, by rank. Ranks of which val knows no photo are left out.
    """
    outcomes: list[Outcome] = []
    for (rank, method), trial in on_val.items():
        if not trial.num_photos.any():
            continue
        bins = np.array([name_frequency(count, frequency) for count in counts[rank].tolist()])
        best = trial.best
        splits = (("val", trial, (0, best)), ("test", on_test[rank, method], (0, 1)))
        for place, (option, strength) in enumerate(((AS_TRAINED, 0.0), (method, float(STRENGTHS[method][best])))):
            if option == AS_TRAINED and method != METHODS[0]:
                continue
            outcomes += [
                _describe(rank, option, strength, split, counted, places[place], bins)
                for split, counted, places in splits
                if counted.num_photos.any()
            ]
    return outcomes


def summarise(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """For the metrics, by rank and option: its `strength`, and `macro` on the test photos."""
    summary: dict[str, dict[str, Any]] = {}
    for each in outcomes:
        if each.split == "test":
            told = {"strength": each.strength} if each.option != AS_TRAINED else {}
            at_rank = summary.setdefault(each.rank, {})
            at_rank[each.option.replace(" ", "_")] = {**told, "macro": round(each.macro, DIGITS)}
    return summary


def write_outcomes(path: Path, outcomes: Mapping[str, Sequence[Outcome]]) -> None:
    """Write the options of all models as a table: accuracies, numbers of photos and 95 % intervals."""
    header = ["model", "rank", "option", "strength", "split", "macro", "photos_of", "num_photos", "accuracy"]
    rows: list[list[object]] = []
    for model, own in outcomes.items():
        for each in own:
            start = [model, each.rank, each.option, f"{each.strength:.1f}", each.split, f"{each.macro:.6f}"]
            for name, group in (("all", each.whole), *each.groups.items()):
                low, high = group.interval
                cells = [str(name), group.num_photos, *(f"{value:.6f}" for value in (group.accuracy, low, high))]
                rows.append([*start, *cells])
    write_csv(path, [*header, "accuracy_low", "accuracy_high"], rows)


def _describe(
    rank: str, option: str, strength: float, split: str, trial: Trials, place: int, bins: np.ndarray
) -> Outcome:
    def count(members: np.ndarray) -> Group:
        return Group(int(trial.num_right[place, members].sum()), int(trial.num_photos[members].sum()))

    groups = {name: count(bins == name) for name in Frequency}
    return Outcome(
        rank,
        option,
        strength,
        split,
        float(trial.macro[place]),
        count(np.ones(len(bins), bool)),
        {name: group for name, group in groups.items() if group.num_photos},
    )
