"""The table of reasons, and that docs/formats.md says the same."""

from pathlib import Path

import pytest

from fieldguide.clean.reasons import FORGOTTEN, KEPT, REASONS, UNUSABLE
from fieldguide.images.quality import QUALITY

FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"
TYPES = {"Float32": "float32?", "String": "string?"}


def test_the_last_reason_is_the_one_to_be_kept() -> None:
    names = [reason.name for reason in REASONS]
    assert names[-1] == KEPT
    assert len(set(names)) == len(names)


def test_what_is_unusable_is_known_before_anything_is_judged_by_taste() -> None:
    # What is forgotten is no failure, even if its source has deleted it.
    assert [reason.name for reason in REASONS[: 1 + len(UNUSABLE)]] == [FORGOTTEN, *UNUSABLE]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            ["| reason | meaning |", "|---|---|", *(f"| {reason.name} | {reason.meaning} |" for reason in REASONS)],
            id="reasons",
        ),
        pytest.param(
            [f"| {fact.name} | {TYPES[fact.dtype.__name__]} | {fact.meaning} |" for fact in QUALITY], id="quality"
        ),
    ],
)
def test_formats_lists_the_table(lines: list[str]) -> None:
    table = "\n".join(lines)
    assert f"\n{table}\n" in FORMATS.read_text(encoding="utf-8"), f"docs/formats.md should hold:\n{table}"
