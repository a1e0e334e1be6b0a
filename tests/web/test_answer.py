"""web/answer.js: the finest taxon of which the model is sure."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from fieldguide.errors import ExportError
from fieldguide.export.node import WEB, run_node

LABELS = {
    "ranks": ["species", "family", "genus"],
    "classes": {
        "species": ["other", "Aster alpinus", "Aster bellus", "Linum album"],
        "family": ["other", "Asteraceae"],
        "genus": ["other", "Aster", "Linum"],
    },
    "parents": {
        "species": {
            "Aster alpinus": {"genus": "Aster", "family": "Asteraceae"},
            "Aster bellus": {"genus": "Aster", "family": "Asteraceae"},
            "Linum album": {"genus": "Linum"},
        },
        "genus": {"Aster": {"family": "Asteraceae"}},
        "family": {},
    },
    "vernacular": {},
}
"""The ranks are stored out of order on purpose: the genus has more classes than the family, so it comes before it."""


def ask(tmp_path: Path, species: list[float], family: list[float], genus: list[float], temperature: float = 1.0) -> Any:
    """What `conclude` makes of the probabilities of each rank, at a minimal confidence of 0.6."""
    logits = [math.log(probability) for probability in (*species, *family, *genus)]
    script = tmp_path / "ask.mjs"
    calibration = {"temperature": temperature, "min_confidence": 0.6}
    arguments = ", ".join(json.dumps(argument) for argument in (logits, LABELS, calibration))
    script.write_text(
        f"import {{ conclude }} from {json.dumps((WEB / 'answer.js').as_uri())};\n"
        f"console.log(JSON.stringify(conclude({arguments})));\n"
    )
    return json.loads(run_node(script))


CASES = {
    "a clear species": ([0.05, 0.9, 0.03, 0.02], [0.1, 0.9], [0.1, 0.8, 0.1], "species", "Aster alpinus", True),
    "two species of one genus": ([0.1, 0.45, 0.4, 0.05], [0.1, 0.9], [0.05, 0.9, 0.05], "genus", "Aster", True),
    "a species outside the guide": ([0.9, 0.04, 0.03, 0.03], [0.1, 0.9], [0.2, 0.7, 0.1], "genus", "Aster", True),
    "a genus outside the guide": ([0.9, 0.04, 0.03, 0.03], [0.3, 0.7], [0.9, 0.05, 0.05], "family", "Asteraceae", True),
    "nothing is sure": ([0.4, 0.3, 0.2, 0.1], [0.5, 0.5], [0.4, 0.35, 0.25], "family", "Asteraceae", False),
}


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_at_the_finest_rank_that_is_sure(case: str, tmp_path: Path) -> None:
    species, family, genus, rank, name, sure = CASES[case]
    found = ask(tmp_path, species, family, genus)
    assert (found["best"]["rank"], found["best"]["name"], found["sure"]) == (rank, name, sure)


def test_a_lineage_runs_from_the_broadest_rank_and_skips_what_is_unknown(tmp_path: Path) -> None:
    sure = ask(tmp_path, [0.02, 0.94, 0.02, 0.02], [0.1, 0.9], [0.1, 0.8, 0.1])
    assert [step["name"] for step in sure["best"]["lineage"]] == ["Asteraceae", "Aster", "Aster alpinus"]
    orphan = ask(tmp_path, [0.02, 0.02, 0.02, 0.94], [0.1, 0.9], [0.1, 0.1, 0.8])
    assert [step["name"] for step in orphan["best"]["lineage"]] == ["Linum", "Linum album"]


def test_the_temperature_makes_answers_less_sure(tmp_path: Path) -> None:
    species, family, genus = [0.1, 0.7, 0.1, 0.1], [0.01, 0.99], [0.01, 0.98, 0.01]
    assert ask(tmp_path, species, family, genus)["best"]["rank"] == "species"
    warm = ask(tmp_path, species, family, genus, temperature=3.0)
    assert warm["best"]["rank"] == "genus"
    top = max(candidate["probability"] for candidate in warm["byRank"]["species"])
    assert top == pytest.approx(0.7 ** (1 / 3) / (0.7 ** (1 / 3) + 3 * 0.1 ** (1 / 3)))


def test_labels_of_another_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"the model answers 8 classes, labels\.json names 9"):
        ask(tmp_path, [0.5, 0.5, 0.5], [0.5, 0.5], [0.3, 0.3, 0.4])
