"""Several photos of one observation: which are asked about together, how sure they are, and what that gains."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fieldguide.evaluate import fusion
from fieldguide.evaluate.answers import EvaluatedModel
from fieldguide.evaluate.fusion import choose_exponent, group_photos, read_observations, score_fusion
from fieldguide.evaluate.rules import Rules
from fieldguide.records.reader import RecordSet
from tests.records.making import TAXONOMY

RULES = Rules.unproven(["species", "genus"], 0.6)


@pytest.mark.parametrize(
    ("observations", "labels", "groups"),
    [
        pytest.param([None, None, None], [1, 1, 1], [], id="nobody says which belong together"),
        pytest.param(["a", "b", "c"], [1, 1, 1], [], id="one photo each"),
        pytest.param(["b", "a", "b"], [1, 2, 1], [[0, 2, -1]], id="two photos"),
        pytest.param(["a", "a", "a"], [1, 1, 2], [[0, 1, -1]], id="two species in one observation"),
        pytest.param(["b", "a", "b", "a"], [1, 1, 1, 1], [[1, 3, -1], [0, 2, -1]], id="in the order of their names"),
        pytest.param(["a"] * 5, [1] * 5, [[0, 1, 2]], id="more than are counted"),
    ],
)
def test_photos_of_one_observation_are_grouped(observations: list[str | None], labels: list[int], groups: object):
    found = group_photos([f"p{i}" for i in range(len(labels))], observations, np.array(labels))
    assert found.tolist() == groups
    assert found.shape[1] == fusion.MOST_PHOTOS


def test_the_order_of_the_records_changes_no_group():
    ids, observations = ["p3", "p1", "p2"], ["a", "a", "a"]
    assert group_photos(ids, observations, np.zeros(3, np.int64)).tolist() == [[1, 2, 0]]


def test_many_observations_are_thinned_out_evenly(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fusion, "MAX_OBSERVATIONS", 3)
    observations = [f"o{i // 2}" for i in range(14)]
    found = group_photos([f"p{i:02}" for i in range(14)], observations, np.zeros(14, np.int64))
    assert found[:, 0].tolist() == [0, 6, 12]


def test_observations_come_from_the_split(test: RecordSet, tmp_path: Path):
    known = pl.DataFrame({"photo_id": test.photo_ids[1:][::-1], "observation_id": [f"o{i}" for i in range(29)]})
    known.write_parquet(tmp_path / "split.parquet")
    assert read_observations(tmp_path / "split.parquet", test) == [None, *(f"o{i}" for i in reversed(range(29)))]


def with_noise(scale: float, shared: bool) -> EvaluatedModel:
    """A model that sees the truth through noise: each photo's own, or that of its class (so that more photos say no
    more than one)."""

    def predict(records: RecordSet, indices: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
        labels = records.labels("species")
        for start in range(0, len(indices), 7):
            part = indices[start : start + 7]
            seeds = [int(labels[index]) if shared else 100 + index for index in part.tolist()]
            noise = np.stack([np.random.default_rng(seed).normal(0, scale, 5) for seed in seeds])
            species = np.eye(5)[labels[part]] + noise
            yield {"species": species.astype(np.float32), "genus": np.zeros((len(part), 3), np.float32)}

    return EvaluatedModel("net", None, TAXONOMY.classes, predict)


def by_class(records: RecordSet) -> list[str | None]:
    """Photos of a class in observations of three, and the first of all in none."""
    seen: dict[int, int] = {}
    names: list[str | None] = []
    for label in records.labels("species").tolist():
        seen[label] = seen.get(label, -1) + 1
        names.append(f"{label}-{seen[label] // 3}")
    return [None, *names[1:]]


def test_more_photos_are_more_often_right_and_never_of_another_observation(test: RecordSet):
    model, observations = with_noise(0.8, shared=False), by_class(test)
    scores = score_fusion(model, {"species": 1.0, "genus": 1.0}, RULES, 0.0, test, observations)
    one, two, three = (scores["by_num_photos"][str(num)] for num in (1, 2, 3))
    assert one["top1"] == one["top1_alone"]
    assert one["top1"] < three["top1"]
    assert one["num_observations"] == two["num_observations"] > three["num_observations"]
    assert scores["num_photos_fused"] == 2 * two["num_observations"] + three["num_observations"]
    low, high = three["top1_interval"]
    assert low <= three["top1"] <= high
    # The same, written out.
    groups = [
        [at for at, name in sorted(enumerate(observations), key=lambda pair: test.photo_ids[pair[0]]) if name == each]
        for each in sorted({name for name in observations if name})
    ]
    whole = [group for group in groups if len(group) == 3]
    logits = np.concatenate([batch["species"] for batch in model.predict(test, np.arange(30))])
    right = [logits[group].mean(axis=0).argmax() == test.labels("species")[group[0]] for group in whole]
    assert three["num_observations"] == len(whole)
    assert three["top1"] == pytest.approx(np.mean(right), abs=1e-6)


def test_without_observations_nothing_is_said(test: RecordSet):
    scores = score_fusion(with_noise(1, shared=False), {}, RULES, 0.0, test, [None] * 30)
    assert scores == {"by_num_photos": {}, "num_photos_fused": 0, "fusion_exponent": 0.0}


@pytest.mark.parametrize(("shared", "exponent"), [(True, [0.0]), (False, [0.75, 1.0])])
def test_the_exponent_is_as_large_as_photos_differ(
    shared: bool, exponent: list[float], train: RecordSet, monkeypatch: pytest.MonkeyPatch
):
    # Logits of a calibrated model: the noise of each class is as large as the truth says.
    monkeypatch.setattr(fusion, "MIN_OBSERVATIONS", 10)
    assert choose_exponent(with_noise(1.0, shared), train, by_class(train)) in exponent


def test_few_observations_choose_nothing(train: RecordSet):
    assert choose_exponent(with_noise(1.0, shared=False), train, by_class(train)) == 0.0
