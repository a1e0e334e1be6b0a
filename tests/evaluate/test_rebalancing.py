"""What adjusting a classifier would change is what training would do; val chooses, test photos are only counted."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fieldguide.evaluate.answers import EvaluatedModel, Logits, calibrate, concerned_photos
from fieldguide.evaluate.rebalancing import (
    AS_TRAINED,
    Outcome,
    describe_outcomes,
    keep_best,
    open_trials,
    summarise,
    watched,
    write_outcomes,
)
from fieldguide.learn.imbalance import log_prior
from fieldguide.records.reader import RecordSet
from fieldguide.split.params import FrequencyParams
from tests.records.making import TAXONOMY

BINS = FrequencyParams(few_below=15, many_above=40)
SPECIES = TAXONOMY.classes["species"]


def biased_model(train: RecordSet) -> EvaluatedModel:
    """One that knows every species, but says the most frequent one unless the photo speaks clearly against it."""
    counts = np.bincount(train.labels("species"), minlength=len(SPECIES)).astype(float)
    ranks = [rank for rank in TAXONOMY.ranks if rank in ("species", "genus")]

    def predict(records: RecordSet, indices: np.ndarray) -> Iterator[Logits]:
        for rows in np.array_split(indices, 3):
            batch = {rank: np.eye(len(TAXONOMY.classes[rank]))[records.labels(rank)[rows]] for rank in ranks}
            batch["species"] = 0.4 * batch["species"] + 2 * log_prior(counts)
            yield {rank: logits.astype(np.float32) for rank, logits in batch.items()}

    lengths = {rank: np.ones(len(TAXONOMY.classes[rank])) for rank in ranks}
    return EvaluatedModel("net", None, TAXONOMY.classes, predict, lengths=lengths)


@pytest.fixture
def outcomes(train: RecordSet, val: RecordSet, test: RecordSet) -> list[Outcome]:
    model = biased_model(train)
    on_val, counts = open_trials(model, train)
    assert counts["species"].sum() == len(train)
    seen_by_val = watched(model, on_val)
    assert calibrate(seen_by_val, val) == calibrate(model, val)
    on_test = keep_best(on_val)
    indices, _ = concerned_photos(model, test)
    assert sum(len(batch["species"]) for batch in watched(model, on_test).predict(test, indices)) == len(indices)
    return describe_outcomes(on_val, on_test, counts, BINS)


def test_an_option_is_as_strong_as_val_says(outcomes: list[Outcome]):
    told = {(each.rank, each.option, each.split): each for each in outcomes}
    assert len(told) == len(outcomes) == 2 * 3 * 2
    adjusted = told["species", "logit_adjustment", "test"]
    assert adjusted.strength > 0
    assert adjusted.macro == 1.0
    before = told["species", AS_TRAINED, "test"]
    assert before.macro < 0.5
    assert (before.groups["few"].num_right, before.groups["few"].accuracy) == (0, 0)
    assert adjusted.groups["few"].accuracy == 1
    assert sum(group.num_photos for group in before.groups.values()) == before.whole.num_photos == 30
    # Weights of one length have nothing to even out, and a head that is right already is left alone.
    assert told["species", "tau_norm", "test"].strength == 0
    assert told["genus", "logit_adjustment", "test"].strength == 0


def test_few_numbers_reach_the_metrics_and_all_the_table(outcomes: list[Outcome], tmp_path: Path):
    summary = summarise(outcomes)
    assert list(summary) == ["species", "genus"]
    assert list(summary["species"]) == ["as_trained", "logit_adjustment", "tau_norm"]
    assert summary["species"]["logit_adjustment"]["macro"] == 1.0
    assert summary["genus"]["as_trained"] == {"macro": 1.0}
    write_outcomes(tmp_path / "rebalancing.csv", {"net": outcomes})
    table = pl.read_csv(tmp_path / "rebalancing.csv")
    whole = table.filter(pl.col("photos_of") == "all")
    assert len(whole) == len(outcomes)
    assert (table["accuracy_low"] <= table["accuracy"]).all()


def test_what_has_no_classifier_has_no_options(train: RecordSet):
    model = EvaluatedModel("knn", None, TAXONOMY.classes, lambda *_: iter(()))
    trials, counts = open_trials(model, train)
    assert (trials, counts, watched(model, trials)) == ({}, {}, model)
    assert describe_outcomes(trials, trials, counts, BINS) == []
