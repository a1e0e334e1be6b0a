"""A bundle for production holds no weights that are not free for any use, and the card names those that it holds."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fieldguide.errors import ExportError
from fieldguide.evaluate.rules import MeasuredRisk, Rule
from fieldguide.export.model_card import CARD, CardFacts, write_card
from fieldguide.export.pretrained import read_student
from fieldguide.learn.description import NetworkSpec, TeacherOrigin

SCRATCH = {"from": "scratch"}
TEACHER_OF_TEACHERS = {"from": "teacher", "name": "a", "sha256": "0", "weights": {"from": "hub", "licence": "CC0"}}


def file(licence: str | None) -> dict[str, Any]:
    return {"from": "file", "path": "WEIGHTS/vit.pth", "sha256": "0", "licence": licence}


def describe(weights: dict[str, Any], teacher: dict[str, Any] | None = None) -> NetworkSpec:
    """A student that began with `weights`, and was taught by a network that began with those of `teacher`."""
    return NetworkSpec(
        architecture="mobilenetv2_100",
        architecture_args={},
        image_size=32,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        ranks=["species"],
        classes={"species": ["other"]},
        region=None,
        weights=weights,
        seed=0,
        num_parameters=1,
        epoch=0,
        teachers={"b": TeacherOrigin(architecture="vit", weights=teacher)} if teacher else {},
    )


@pytest.mark.parametrize(
    ("student", "pretrained", "refused"),
    [
        (describe(SCRATCH), [], None),
        (describe(SCRATCH, SCRATCH), [], None),
        (describe(file("MIT")), [("this network", "vit.pth", "MIT")], None),
        (describe(SCRATCH, TEACHER_OF_TEACHERS), [("teacher b", "vit of timm's hub", "CC0")], None),
        (
            describe(file(None)),
            [("this network", "vit.pth", None)],
            r"this network began with vit\.pth, whose licence is unknown; expected",
        ),
        (
            describe(file("Apache-2.0"), file("CC BY-NC 4.0")),
            [("this network", "vit.pth", "Apache-2.0"), ("teacher b", "vit.pth", "CC BY-NC 4.0")],
            r"model\.json: teacher b began with vit\.pth, whose licence is CC BY-NC 4\.0; expected",
        ),
    ],
)
def test_weights_that_are_not_free_are_refused_through_teachers_too(
    tmp_path: Path, student: NetworkSpec, pretrained: list[tuple[str, str, str | None]], refused: str | None
):
    student.write(tmp_path)
    found = read_student(tmp_path, production_only=False)
    assert found == student
    assert found.pretrained() == pretrained
    if refused is None:
        assert read_student(tmp_path, production_only=True) == student
    else:
        with pytest.raises(ExportError, match=refused):
            read_student(tmp_path, production_only=True)


@pytest.mark.parametrize(
    ("student", "lines"),
    [
        (describe(SCRATCH), []),
        (
            describe(file("MIT"), file(None)),
            ["| this network | vit.pth | MIT |", "| teacher b | vit.pth | unknown |"],
        ),
    ],
)
def test_the_card_names_pretrained_weights_and_their_licences(tmp_path: Path, student: NetworkSpec, lines: list[str]):
    empty: dict[str, Any] = {field.name: {} for field in fields(CardFacts)}
    facts = empty | {
        "network": student,
        "num_photos": {"train": 1, "val": 1, "test": 1},
        "num_merged_into_other": 0,
        "quantization": "none",
        "rule": Rule(thresholds={"species": 0.5}, num_chosen_by=60),
        "max_error": 0.05,
        "evaluation": {"top1": 0.9},
        "tests": {"one_placed": MeasuredRisk(num_photos=1300, risk=0.04, risk_interval=(0.01, 0.1))},
        "model_megabytes": 1.0,
    }
    write_card(tmp_path, CardFacts(**facts))
    card = (tmp_path / CARD).read_text(encoding="utf-8")
    assert [line for line in card.splitlines() if line.endswith(("MIT |", "unknown |"))] == lines
    assert ("pretrained weights of" in card) == bool(lines)
    assert "| one, placed | 1,300 | 4.0 % | 1.0 to 10.0 % | 5 % |" in card
