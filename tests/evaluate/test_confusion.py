"""Counting mistakes and putting relatives side by side."""

import numpy as np

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.evaluate.answers import RankAnswers
from fieldguide.evaluate.confusion import count_confusions, find_confused_pairs, order_by_lineage
from tests.evaluate.making import answers_of

CLASSES = ["other", "Alba nana", "Rosa canina", "Rosa minor", "Viola alba"]


def answers(labels: list[int], predicted: list[int], confidence: list[float]) -> RankAnswers:
    logits = np.eye(5, dtype=np.float32)[predicted] * np.array(confidence, np.float32)[:, None]
    return answers_of(CLASSES, np.array(labels), logits, 1.0)


def test_counts_by_actual_and_predicted():
    counts = count_confusions(answers([1, 1, 2], [1, 2, 2], [1, 1, 1])).toarray()
    assert counts.sum() == 3
    assert (counts[1, 1], counts[1, 2], counts[2, 2]) == (1, 1, 1)


def test_worst_pairs_come_first_with_their_most_confident_photos():
    labels = [1, 1, 1, 1, 2, 2, 3, 4]
    predicted = [2, 2, 1, 1, 3, 2, 4, 4]
    pairs = find_confused_pairs(answers(labels, predicted, [1, 2, 1, 1, 1, 1, 1, 1]), 2)
    assert [(pair.actual, pair.predicted, pair.num_mistakes, pair.num_photos) for pair in pairs] == [
        ("Alba nana", "Rosa canina", 2, 4),
        ("Rosa minor", "Viola alba", 1, 1),
    ]
    assert pairs[0].examples == [1, 0]


def test_a_perfect_model_has_no_pairs():
    assert find_confused_pairs(answers([1, 2], [1, 2], [1, 1]), 5) == []


def test_relatives_stand_side_by_side():
    lineages = {
        "Alba nana": {"genus": "Alba", "family": "Violaceae"},
        "Rosa canina": {"genus": "Rosa", "family": "Rosaceae"},
        "Rosa minor": {"genus": "Rosa", "family": "Rosaceae"},
        "Viola alba": {"genus": "Viola", "family": "Violaceae"},
    }
    taxonomy = Taxonomy(
        ranks=["species", "genus", "family"],
        classes={"species": CLASSES, "genus": ["other"], "family": ["other"]},
        parents={"species": lineages, "genus": {}, "family": {}},
        merged_into_other={},
        vernacular={},
        regions={},
    )
    order, blocks = order_by_lineage(CLASSES, taxonomy)
    assert [CLASSES[index] for index in order] == ["Rosa canina", "Rosa minor", "Alba nana", "Viola alba", "other"]
    assert blocks == ["Rosaceae", "Rosaceae", "Violaceae", "Violaceae", "other"]
