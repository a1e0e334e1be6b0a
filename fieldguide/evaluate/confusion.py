"""Which classes a model takes for which: counts, a lineage order that keeps relatives together, the worst pairs."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from fieldguide.catalogue.taxonomy import OTHER, Taxonomy
from fieldguide.evaluate.answers import RankAnswers


@dataclass(frozen=True)
class ConfusedPair:
    """One mistake that a model makes again and again."""

    actual: str
    predicted: str
    num_mistakes: int
    num_photos: int
    """Test photos of the actual class."""
    examples: list[int]
    """Rows of the answers that are this mistake, the most confident first."""


def count_confusions(answers: RankAnswers) -> csr_array:
    """Photos by actual and predicted class: sparse int64 [num_classes, num_classes].

    Sparse, because thousands of species have millions of cells and few mistakes.
    """
    size = len(answers.classes)
    ones = np.ones(len(answers.labels), np.int64)
    return coo_array((ones, (answers.labels, answers.predicted)), shape=(size, size)).tocsr()


def find_confused_pairs(answers: RankAnswers, num: int) -> list[ConfusedPair]:
    """The `num` pairs with the most mistakes; of equals, the pair where they are the larger share."""
    counts = count_confusions(answers).tocoo()
    totals = np.bincount(answers.labels, minlength=len(answers.classes))
    is_mistake = counts.row != counts.col
    actual, predicted, mistakes = counts.row[is_mistake], counts.col[is_mistake], counts.data[is_mistake]
    worst = np.lexsort((predicted, actual, -mistakes / totals[actual], -mistakes))[:num]
    confidence = answers.calibrated.best[:, 0]
    pairs = []
    for place in worst.tolist():
        rows = np.flatnonzero((answers.labels == actual[place]) & (answers.predicted == predicted[place]))
        pairs.append(
            ConfusedPair(
                actual=answers.classes[actual[place]],
                predicted=answers.classes[predicted[place]],
                num_mistakes=int(mistakes[place]),
                num_photos=int(totals[actual[place]]),
                examples=rows[np.argsort(-confidence[rows], kind="stable")].tolist(),
            )
        )
    return pairs


def order_by_lineage(classes: list[str], taxonomy: Taxonomy) -> tuple[list[int], list[str]]:
    """An order of first-rank classes that puts relatives side by side, and the highest-rank name of each.

    Returns indices into `classes` and, in that order, the names; `other` and classes without a lineage come last.
    """
    first, *higher = taxonomy.ranks
    parents = taxonomy.parents[first]

    def key(name: str) -> tuple[bool, list[str], str]:
        lineage = parents.get(name, {})
        return name == OTHER, [lineage.get(rank, "\uffff") for rank in reversed(higher)], name

    order = sorted(range(len(classes)), key=lambda index: key(classes[index]))
    blocks = [parents.get(classes[index], {}).get(higher[-1], OTHER) if higher else "" for index in order]
    return order, blocks
