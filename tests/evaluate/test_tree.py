"""Probabilities up the taxonomy, and what may be said: the same cases as web/answer.js."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldguide.evaluate.answer_sets import count_members
from fieldguide.evaluate.rules import Rule
from fieldguide.evaluate.tree import Candidates, Verdict, conclude, fuse, inform, sum_up
from fieldguide.export.model_files import Labels
from tests.web.specification import DRAWN

ANSWERS = json.loads((Path(__file__).parents[1] / "web" / "answers.json").read_text())
CASES = {case["name"]: case for case in ANSWERS["cases"]}
LABELS = ANSWERS["labels"]
CLASSES = {rank: LABELS["classes"][rank] for rank in LABELS["ranks"]}


def summed(heads: dict[str, list[float]], temperatures: dict[str, float]) -> dict[str, np.ndarray]:
    logits = {rank: np.log(np.maximum(np.array([shares], np.float32), 1e-30)) for rank, shares in heads.items()}
    return sum_up(logits, temperatures, CLASSES, LABELS["parents"])


@pytest.mark.parametrize("name", CASES)
def test_evaluation_says_what_the_specification_says(name: str) -> None:
    case: dict[str, Any] = CASES[name]
    by_rank = summed(case["heads"], case["temperatures"])
    candidates = {rank: Candidates.of(shares, CLASSES[rank].index("other")) for rank, shares in by_rank.items()}
    rule = Rule.model_validate(ANSWERS["calibration"]["rules"]["measured"]["one"])
    found = conclude(candidates, CLASSES, rule.thresholds, np.zeros(1, bool))
    verdict, rank, taxon, probability = case["expected"]
    assert isinstance(found.verdicts[0], Verdict)
    assert (found.verdicts[0], found.ranks[0], CLASSES[rank][found.places[0]]) == (verdict, rank, taxon)
    assert found.confidence[0] == pytest.approx(probability, abs=1e-5)
    if "likely" in case:
        assert count_members(by_rank["species"], rule.set_limit or 0) == [case["likely"]]
    for each, expected in case.get("summed", {}).items():
        np.testing.assert_allclose(by_rank[each], [expected], atol=1e-6)


def drawn_guides() -> list[dict[str, Any]]:
    guides: list[dict[str, Any]] = json.loads(DRAWN.read_text())
    return guides


@pytest.mark.parametrize("guide", drawn_guides())
def test_probabilities_are_those_that_were_worked_out_slowly(guide: dict[str, Any]) -> None:
    labels = Labels.model_validate(guide["labels"])
    classes = {rank: labels.classes[rank] for rank in labels.ranks}
    ends = np.cumsum([len(names) for names in classes.values()])[:-1]
    for case in guide["cases"]:
        calibration = guide["calibrations"][case["calibration"]]
        fused = fuse(np.array([case["photos"]], np.float32), calibration["fusion_exponent"])
        left_out = labels.left_out
        masked = fused if left_out is None else np.where(left_out, -np.inf, fused)
        heads = dict(zip(classes, np.split(masked, ends, axis=1), strict=True))
        by_rank = sum_up(heads, calibration["temperatures"], classes, labels.parents)
        for rank, expected in case["probabilities"].items():
            np.testing.assert_allclose(by_rank[rank], [expected], atol=1e-6, rtol=0)


def test_what_a_place_says_multiplies_probabilities() -> None:
    draw = np.random.default_rng(1)
    logits, factors = draw.normal(size=(2, 7, 5)).astype(np.float32)
    told = inform(logits, factors, 1.7)
    before, after = (np.exp(each / 1.7) / np.exp(each / 1.7).sum(axis=1, keepdims=True) for each in (logits, told))
    expected = before * np.exp(factors)
    np.testing.assert_allclose(after, expected / expected.sum(axis=1, keepdims=True), rtol=1e-4)


def test_a_rank_without_logits_adds_up_its_species() -> None:
    by_rank = summed({"species": [0.1, 0.2, 0.3, 0.4]}, {})
    np.testing.assert_allclose(by_rank["genus"], [[0.1, 0.5, 0.4]], atol=1e-6)


def test_species_without_a_known_parent_count_as_other() -> None:
    by_rank = summed({"species": [0.1, 0.2, 0.3, 0.4]}, {})
    np.testing.assert_allclose(by_rank["family"], [[0.5, 0.5]], atol=1e-6)
