"""Which classes a model recognises least, how many photos it learnt them from, and what it takes them for.

Counted on the validation photos: who changes something after a look at this is still judged by test photos that nobody
looked at. What the test photos say stands beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fieldguide.evaluate.answers import Answers, RankAnswers
from fieldguide.evaluate.confusion import count_confusions
from fieldguide.evaluate.metrics import find_interval
from fieldguide.spreadsheet import write_csv

NUM_TAKEN_FOR = 3
"""Other classes that are named of each."""


@dataclass(frozen=True)
class ClassRecall:
    """How many photos of one class are recognised."""

    name: str
    num_train: int
    """Training photos."""
    num_right: int
    """Of the `num_photos` validation photos."""
    num_photos: int
    num_test_right: int
    num_test: int
    taken_for: list[tuple[str, int]]
    """Other classes that its validation photos were taken for, and how many, most of them first."""

    @property
    def recall(self) -> float:
        """Share of its validation photos that are recognised."""
        return self.num_right / self.num_photos

    @property
    def interval(self) -> tuple[float, float]:
        """Of the recall, 95 %."""
        return find_interval(self.num_right, self.num_photos)


def list_recalls(val: Answers, test: Answers, num_train: Mapping[str, int]) -> list[ClassRecall]:
    """The classes of the first rank that have validation photos, those that are surely weak first.

    In the order of the upper end of the recall's interval, so that 2 of 20 come before 0 of 1: one photo says little.
    `num_train` are training photos by class name.
    """
    own, other = val.first, test.first
    confusions = count_confusions(own)
    totals, test_totals = (np.bincount(each.labels, minlength=len(each.classes)) for each in (own, other))
    right, test_right = (_count_right(each) for each in (own, other))
    recalls = []
    for label in np.flatnonzero(totals).tolist():
        name = own.classes[label]
        row = confusions[[label]].tocoo()
        taken = sorted(
            (-int(number), own.classes[column])
            for column, number in zip(row.col.tolist(), row.data, strict=True)
            if column != label
        )
        recalls.append(
            ClassRecall(
                name=name,
                num_train=num_train.get(name, 0),
                num_right=int(right[label]),
                num_photos=int(totals[label]),
                num_test_right=int(test_right[label]),
                num_test=int(test_totals[label]),
                taken_for=[(actual, -number) for number, actual in taken[:NUM_TAKEN_FOR]],
            )
        )
    return sorted(recalls, key=lambda each: (each.interval[1], each.recall, each.name))


def write_recalls(path: Path, recalls: Mapping[str, Sequence[ClassRecall]]) -> None:
    """Write every class of every model as a table, in the order of `list_recalls`."""
    header = ["model", "class", "num_train", "num_val", "recall", "recall_low", "recall_high"]
    rows: list[list[object]] = []
    for model, own in recalls.items():
        for each in own:
            shares = [f"{value:.6f}" for value in (each.recall, *each.interval)]
            tested = f"{each.num_test_right / each.num_test:.6f}" if each.num_test else ""
            taken_for = "; ".join(f"{name} ({number})" for name, number in each.taken_for)
            rows.append([model, each.name, each.num_train, each.num_photos, *shares, each.num_test, tested, taken_for])
    write_csv(path, [*header, "num_test", "recall_test", "taken_for"], rows)


def _count_right(answers: RankAnswers) -> np.ndarray:
    """Photos of each class whose first answer is right: int64 [classes]."""
    return np.bincount(answers.labels[answers.is_right], minlength=len(answers.classes))
