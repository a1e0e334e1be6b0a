"""The plan of the sample, without drawing: shares, the order of reasons, and the committed truth."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from fieldguide.files import salted_unit
from sample.flora import FLORA, RAREST
from sample.make import row_ids
from sample.plan import FREE_LICENCES, UNFREE_LICENCES, Photo, Row, plan_rows
from sample.truth import REASONS, judge, tell_truth

SEED = 17
TRUTH = Path(__file__).parents[2] / "sample" / "truth.json"


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return plan_rows(1500, SEED)


def row(plant: int = 0, *, upload: int = 0, licence: str = "CC0", encoding: str = "plain", copy: int = 0) -> Row:
    photo = Photo(0, plant, 0, encoding, copy)
    return Row(photo, upload, FLORA[0].name, f"obs-{plant}", "Ada Alder", None, licence, None, None)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row()], [("kept", None)]),
        ([row(upload=1), row(upload=1)], [("kept", None), ("duplicate_url", 0)]),
        ([row(upload=1), row(upload=2)], [("kept", None), ("duplicate_bytes", 0)]),
        ([row(upload=1), row(upload=2, encoding="near", copy=1)], [("kept", None), ("near_duplicate", 0)]),
        ([row(upload=1, encoding="near", copy=1), row(upload=2)], [("kept", None), ("near_duplicate", 0)]),
        ([row(1, upload=1), row(2, upload=2)], [("kept", None), ("kept", None)]),
        # What is dropped for an earlier reason displaces nothing.
        ([row(upload=1, licence="CC-BY-NC-4.0"), row(upload=2)], [("licence", None), ("kept", None)]),
        ([row(encoding="empty", licence="")], [("empty", None)]),
        ([row(encoding="missing"), row(encoding="missing")], [("fetch_failed", None)] * 2),
    ],
)
def test_each_row_gets_the_first_reason_that_applies(rows: list[Row], expected: list[tuple[str, int | None]]) -> None:
    assert judge(rows, production_only=True) == expected


def test_any_licence_will_do_unless_production_only() -> None:
    assert judge([row(licence="© all rights reserved")], production_only=False) == [("kept", None)]


def test_the_committed_truth_is_that_of_the_plan(rows: list[Row]) -> None:
    committed = json.loads(TRUTH.read_text(encoding="utf-8"))
    assert committed.pop("seed") == SEED
    committed.pop("pdq")
    assert committed == tell_truth(rows, row_ids(rows))


def test_every_reason_is_planted(rows: list[Row]) -> None:
    reasons = Counter(reason for reason, _ in judge(rows, production_only=True))
    assert set(reasons) == set(REASONS)
    assert reasons["duplicate_url"] == pytest.approx(0.08 * len(rows), abs=15)
    assert reasons["near_duplicate"] == pytest.approx(0.025 * len(rows), abs=10)
    assert reasons["licence"] == pytest.approx(0.12 * len(rows), abs=30)


def test_species_are_long_tailed_and_only_one_is_too_rare(rows: list[Row]) -> None:
    truth = tell_truth(rows, row_ids(rows))
    num_rows = [species["rows"] for species in truth["species"].values()]
    assert all(more >= fewer for more, fewer in pairwise(num_rows))
    assert 20 <= num_rows[0] / num_rows[-1] <= 30
    assert truth["species"][RAREST]["kept"] < 10
    assert min(species["kept"] for name, species in truth["species"].items() if name != RAREST) >= 15


def test_regions_and_licences_are_mixed(rows: list[Row]) -> None:
    regions = Counter(row.region for row in rows)
    assert regions["EU_SW"] / len(rows) == pytest.approx(0.45, abs=0.04)
    assert regions[None] > 0
    assert {row.licence for row in rows} == {*FREE_LICENCES, *UNFREE_LICENCES}


def test_the_true_species_of_a_url_comes_before_wrong_ones(rows: list[Row]) -> None:
    first: dict[int, Row] = {}
    for one in rows:
        known = first.setdefault(one.upload, one)
        if known.kind == "label_error":
            continue
        assert FLORA[known.photo.species].name == " ".join(known.label.split())
        assert known is one or known.label != one.label


def test_wrong_labels_are_planted_in_train_alone(rows: list[Row]) -> None:
    truth = tell_truth(rows, row_ids(rows))["label_errors"]
    assert len(truth) == pytest.approx(0.015 * len(rows), abs=1)
    assert all(error["label"] != error["true"] and RAREST not in (error["label"], error["true"]) for error in truth)
    assert {error["true"] for error in truth} >= {species.name for species in FLORA[:2]}
    observations = Counter(one.observation for one in rows)
    for one in rows:
        if one.kind == "label_error":
            assert observations[one.observation] == 1
            assert salted_unit("fieldguide", f"observation_id={one.observation}") < 0.8


def test_repeats_do_not_stand_side_by_side(rows: list[Row]) -> None:
    shots = [(one.photo.plant, one.photo.shot) for one in rows]
    assert sum(one == other for one, other in pairwise(shots)) <= 3
