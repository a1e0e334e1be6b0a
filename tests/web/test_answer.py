"""web/answer.js: what may be said of a photo, at the finest rank of which the model is sure."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from fieldguide.errors import ExportError
from fieldguide.export.node import WEB, run_node
from tests.web.specification import DRAWN, as_text, draw_all, rule_of

ANSWERS = json.loads(Path(__file__).with_name("answers.json").read_text())
CASES = {case["name"]: case for case in ANSWERS["cases"]}
LABELS = ANSWERS["labels"]
"""The ranks are stored out of order on purpose: the genus has more classes than the family, so it comes before it."""


def conclude_all(folder: Path, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What `conclude` makes of each case."""
    jobs = []
    for case in cases:
        shares = [share for rank in LABELS["ranks"] for share in case["heads"][rank]]
        logits = [math.log(max(share, 1e-30)) for share in shares]
        jobs.append([logits, LABELS, {**ANSWERS["calibration"], "temperatures": case["temperatures"]}])
    script = folder / "ask.mjs"
    script.write_text(
        f"import {{ conclude }} from {json.dumps((WEB / 'answer.js').as_uri())};\n"
        f"console.log(JSON.stringify({json.dumps(jobs)}.map((job) => conclude(...job))));\n"
    )
    concluded: list[dict[str, Any]] = json.loads(run_node(script))
    return concluded


@pytest.fixture(scope="module")
def concluded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return dict(zip(CASES, conclude_all(tmp_path_factory.mktemp("answers"), list(CASES.values())), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_the_page_says_what_the_specification_says(name: str, concluded: dict[str, dict[str, Any]]) -> None:
    found, (verdict, rank, taxon, probability) = concluded[name], CASES[name]["expected"]
    assert (found["verdict"], found["best"]["rank"], found["best"]["name"]) == (verdict, rank, taxon)
    assert found["best"]["probability"] == pytest.approx(probability, abs=1e-5)
    assert found["numLikely"] == CASES[name].get("likely", found["numLikely"])
    for each, expected in CASES[name].get("summed", {}).items():
        candidates = {candidate["name"]: candidate["probability"] for candidate in found["byRank"][each]}
        assert [candidates[taxon] for taxon in LABELS["classes"][each]] == pytest.approx(expected, abs=1e-6)


def test_probabilities_add_up_and_no_taxon_is_less_likely_than_one_below_it(concluded: dict[str, Any]) -> None:
    for found in concluded.values():
        chances = {rank: {c["name"]: c["probability"] for c in found["byRank"][rank]} for rank in found["byRank"]}
        assert [sum(at_rank.values()) for at_rank in chances.values()] == pytest.approx([1, 1, 1])
        for rank, parents in LABELS["parents"].items():
            for name, above in parents.items():
                assert all(chances[higher][taxon] >= chances[rank][name] for higher, taxon in above.items())


def test_a_lineage_runs_from_the_broadest_rank_and_skips_what_is_unknown(concluded: dict[str, Any]) -> None:
    sure = concluded["a clear species"]["best"]["lineage"]
    assert [step["name"] for step in sure] == ["Asteraceae", "Aster", "Aster alpinus"]
    orphan = concluded["a species without a known family"]["best"]["lineage"]
    assert [step["name"] for step in orphan] == ["Linum", "Linum album"]


def test_the_page_says_what_was_worked_out_slowly(tmp_path: Path) -> None:
    script = tmp_path / "ask.mjs"
    script.write_text(
        f"import {{ conclude, fuse }} from {json.dumps((WEB / 'answer.js').as_uri())};\n"
        f"import {{ readFileSync }} from 'node:fs';\n"
        f"const guides = JSON.parse(readFileSync({json.dumps(str(DRAWN))}));\n"
        "const mean = (values) => values.reduce((sum, each) => sum + each, 0) / values.length;\n"
        "const ask = (labels, calibration, { photos, placed: isPlaced, familiarity: each }) => conclude(\n"
        "  fuse(photos, calibration.fusion_exponent), labels, calibration,\n"
        "  { numPhotos: photos.length, isPlaced, familiarity: each.includes(null) ? null : mean(each) });\n"
        "console.log(JSON.stringify(guides.map(({ labels, calibrations, cases }) =>\n"
        "  cases.map((each) => ask(labels, calibrations[each.calibration], each)))));\n"
    )
    for guide, answers in zip(json.loads(DRAWN.read_text()), json.loads(run_node(script)), strict=True):
        classes = guide["labels"]["classes"]
        for case, found in zip(guide["cases"], answers, strict=True):
            for rank, expected in case["probabilities"].items():
                chances = {each["name"]: each["probability"] for each in found["byRank"][rank]}
                assert [chances[name] for name in classes[rank]] == pytest.approx(expected, abs=1e-6)
            best, calibration = found["best"], guide["calibrations"][case["calibration"]]
            assert [found["verdict"], best["rank"], best["name"], found["numLikely"] or 0] == case["said"]
            assert found["rule"]["num_chosen_by"] == rule_of(guide["labels"], case, calibration)["num_chosen_by"]


def test_the_drawn_cases_are_those_of_the_slow_specification() -> None:
    assert DRAWN.read_text(encoding="utf-8") == as_text(draw_all())


def test_labels_of_another_model_are_refused(tmp_path: Path) -> None:
    heads = {"species": [0.5, 0.5, 0.5], "family": [0.5, 0.5], "genus": [0.3, 0.3, 0.4]}
    with pytest.raises(ExportError, match=r"the model answers 8 classes, labels\.json names 9"):
        conclude_all(tmp_path, [{"heads": heads, "temperatures": {}}])
