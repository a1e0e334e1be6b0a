"""How familiar photos look to the models that are evaluated: measured once each, of several photos in the mean."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fieldguide.evaluate.answers import EvaluatedModel, answer_at, concerned_photos
from fieldguide.evaluate.familiarity import acquaint
from fieldguide.evaluate.fusion import fused
from fieldguide.records.reader import RecordSet
from tests.records.making import TAXONOMY

TEMPERATURES = {"species": 1.0, "genus": 1.0}


class Watcher:
    """A network that counts what it looks at."""

    def __init__(self) -> None:
        self.looked: list[tuple[str, int]] = []

    def see(self, records: RecordSet, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.looked += [(records.split, index) for index in indices.tolist()]
        rows = [np.random.default_rng(index).normal(size=8) for index in indices.tolist()]
        return np.array(rows, np.float32), np.eye(5, dtype=np.float32)[records.labels("species")[indices]]

    def predict(self, records: RecordSet, indices: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
        yield {"species": np.eye(5, dtype=np.float32)[records.labels("species")[indices]]}


def test_each_photo_is_measured_once(train: RecordSet, val: RecordSet) -> None:
    watcher = Watcher()
    model = EvaluatedModel("net", None, TAXONOMY.classes, watcher.predict, see=watcher.see)
    model, familiar = acquaint(model, train)
    assert familiar
    watcher.looked.clear()
    indices, labels = concerned_photos(model, val)
    first = answer_at(model, TEMPERATURES, val, indices[::-1], labels[::-1]).familiarity
    again = answer_at(model, TEMPERATURES, val, indices, labels).familiarity
    assert first is not None
    assert again is not None
    assert np.array_equal(first[::-1], again)
    assert np.array_equal(again, familiar.measure(*Watcher().see(val, indices)))
    assert sorted(watcher.looked) == [("val", index) for index in indices.tolist()]


def test_several_photos_look_as_familiar_as_in_the_mean(train: RecordSet, val: RecordSet) -> None:
    watcher = Watcher()
    model, familiar = acquaint(EvaluatedModel("net", None, TAXONOMY.classes, watcher.predict, see=watcher.see), train)
    assert familiar
    groups = np.array([[0, 1, 2], [3, 4, -1]])
    asked = fused(model, groups, 0.5)
    assert asked.familiarity
    each = familiar.measure(*Watcher().see(val, np.arange(5)))
    np.testing.assert_allclose(asked.familiarity(val, groups[:, 0]), [each[:3].mean(), each[3:].mean()], rtol=1e-5)


def test_of_a_model_that_embeds_nothing_nobody_can_say(train: RecordSet, val: RecordSet) -> None:
    model = EvaluatedModel("votes", None, TAXONOMY.classes, Watcher().predict)
    same, familiar = acquaint(model, train)
    assert same is model
    assert familiar is None
    indices, labels = concerned_photos(model, val)
    assert answer_at(model, TEMPERATURES, val, indices, labels).familiarity is None
    assert fused(replace(model), np.array([[0, 1]]), 0.0).familiarity is None
