"""Place and season beside a model: chosen on val, worth what they say, and off where they say nothing."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fieldguide.evaluate import place
from fieldguide.evaluate.answers import EvaluatedModel
from fieldguide.evaluate.place import PlacedRecords, choose_prior, score_place
from fieldguide.evaluate.prior import Occasions
from fieldguide.evaluate.rules import Rules
from fieldguide.records.reader import RecordSet
from tests.records.making import TAXONOMY

TEMPERATURES = {"species": 1.0, "genus": 1.0}
RULES = Rules.unproven(["species", "genus"], 0.6)


def blurred() -> EvaluatedModel:
    """A model that sees little."""

    def predict(records: RecordSet, indices: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
        truth = records.labels("species")[indices]
        noise = np.random.default_rng(indices.tolist()).normal(0, 1, (len(indices), 5))
        yield {"species": (np.eye(5)[truth] + noise).astype(np.float32)}

    return EvaluatedModel("net", None, TAXONOMY.classes, predict)


def placed(records: RecordSet, telling: bool) -> PlacedRecords:
    """Every species at a place and in a month of its own, or all of them anywhere."""
    draw = np.random.default_rng(len(records))
    labels = records.labels("species") if telling else draw.integers(0, 5, len(records))
    return PlacedRecords(records, Occasions(10.5 + 4 * labels, 20.5 - 4.0 * labels, 1.0 + 2 * labels))


@pytest.mark.parametrize("telling", [True, False])
def test_a_place_that_tells_species_apart_helps_and_another_photos_place_misleads(
    telling: bool, train: RecordSet, val: RecordSet, test: RecordSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "MIN_PHOTOS", 10)
    prior = choose_prior(blurred(), TEMPERATURES, placed(train, telling), placed(val, telling))
    scores = score_place(blurred(), TEMPERATURES, RULES, prior, placed(test, telling))
    assert scores["num_photos"] == 30
    if telling:
        assert scores["strength"] == 1.0
        assert scores["with"]["top1"] > scores["without"]["top1"] + 0.1
        assert scores["wrong_place"]["top1"] < scores["without"]["top1"]
    else:
        assert scores["with"]["top1"] >= scores["without"]["top1"] - 0.1


def test_few_validation_photos_leave_it_off(train: RecordSet, val: RecordSet, test: RecordSet) -> None:
    prior = choose_prior(blurred(), TEMPERATURES, placed(train, telling=True), placed(val, telling=True))
    scores = score_place(blurred(), TEMPERATURES, RULES, prior, placed(test, telling=True))
    assert scores["strength"] == 0
    assert scores["with"] == scores["without"] == scores["wrong_place"]


def test_occasions_come_from_the_split(test: RecordSet, tmp_path: Path) -> None:
    columns = {"latitude": [1.5, None], "longitude": [2.5, None], "month": [None, 7]}
    pl.DataFrame({"photo_id": test.photo_ids[:2], **columns}).write_parquet(tmp_path / "split.parquet")
    read = PlacedRecords.read(test, tmp_path / "split.parquet")
    assert len(read.occasions) == len(test)
    assert read.occasions.is_known.tolist() == [True, True, *[False] * 28]
    indices, _ = read.concerned(blurred())
    assert indices.tolist() == [0, 1]
