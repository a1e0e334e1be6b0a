"""Which photos a model is asked about, and how its answers are brought into one form."""

import numpy as np
import pytest

from fieldguide.errors import RecordError
from fieldguide.evaluate.answers import EvaluatedModel, answer, calibrate, concerned_photos
from fieldguide.evaluate.models import network_model
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.labels import UNKNOWN
from fieldguide.records.reader import RecordSet
from tests.records.making import TAXONOMY

NORTH = {"species": ["other", "Aster alpinus", "Linum album"], "genus": ["other", "Aster", "Linum"]}


def spec(ranks: list[str], classes: dict[str, list[str]], region: str | None = None) -> NetworkSpec:
    return NetworkSpec(
        architecture="none",
        architecture_args={},
        image_size=8,
        mean=(0, 0, 0),
        std=(1, 1, 1),
        ranks=ranks,
        classes=classes,
        region=region,
        weights={},
        seed=0,
        num_parameters=1,
        epoch=0,
    )


def all_knowing(records: RecordSet, indices: np.ndarray, classes: dict[str, list[str]]) -> dict[str, np.ndarray]:
    logits = {}
    for rank, names in classes.items():
        true = [TAXONOMY.classes[rank][label] for label in records.labels(rank)[indices].tolist()]
        logits[rank] = np.array([[4.0 * (name == truth) for name in names] for truth in true], np.float32)
    return logits


def test_a_regional_model_is_asked_about_its_region_and_species(val: RecordSet, test: RecordSet):
    model = EvaluatedModel("north", "north", NORTH, lambda records, indices: all_knowing(records, indices, NORTH))
    answers = answer(model, calibrate(model, val), test)
    names = [TAXONOMY.classes["species"][label] for label in test.labels("species").tolist()]
    expected = [
        index
        for index, (name, region) in enumerate(zip(names, test.regions, strict=True))
        if region == "north" and name in NORTH["species"]
    ]
    assert answers.indices.tolist() == expected
    assert 0 < len(expected) < len(test)
    assert [answers.first.classes[label] for label in answers.first.predicted] == [names[index] for index in expected]


def test_a_model_of_all_regions_is_asked_about_all(test: RecordSet):
    model = EvaluatedModel("all", None, TAXONOMY.classes, lambda *_: {})
    indices, labels = concerned_photos(model, test)
    assert indices.tolist() == list(range(30))
    assert (labels[:, 0] == test.labels("species")).all()


def test_higher_classes_that_a_model_lacks_are_unknown(test: RecordSet):
    model = EvaluatedModel(
        "x", None, {"species": TAXONOMY.classes["species"], "genus": ["other", "Linum"]}, lambda *_: {}
    )
    _, labels = concerned_photos(model, test)
    assert set(labels[:, 1].tolist()) == {UNKNOWN, 1}


def test_no_photo_left_is_an_error(test: RecordSet):
    model = EvaluatedModel("far", "moon", NORTH, lambda *_: {})
    with pytest.raises(RecordError, match="far knows the species of no test photo in region 'moon'"):
        answer(model, {}, test)


def test_outputs_are_cut_by_rank(test: RecordSet):
    logits = np.arange(2 * 8, dtype=np.float32).reshape(2, 8)
    model = network_model("net", spec(["species", "genus"], TAXONOMY.classes), TAXONOMY, lambda *_: logits)
    answered = model.predict(test, np.arange(2))
    assert list(answered) == ["species", "genus"]
    assert answered["species"].tolist() == logits[:, :5].tolist()
    assert answered["genus"].tolist() == logits[:, 5:].tolist()


def test_a_rank_without_outputs_adds_up_its_species(test: RecordSet):
    shares = np.array([[0.1, 0.2, 0.3, 0.35, 0.05]], np.float32)
    one_rank = spec(["species"], {"species": TAXONOMY.classes["species"]})
    model = network_model("net", one_rank, TAXONOMY, lambda _, indices: np.log(shares).repeat(len(indices), axis=0))
    answers = answer(model, {"species": 1.0, "genus": 1.0}, test)
    for calibrated in (False, True):
        genus = answers.ranks["genus"].probabilities(calibrated=calibrated)
        np.testing.assert_allclose(genus[0], [0.1, 0.5, 0.4], rtol=1e-5)


def test_a_genus_is_never_less_likely_than_one_of_its_species(test: RecordSet):
    rng = np.random.default_rng(5)
    model = network_model(
        "net", spec(["species", "genus"], TAXONOMY.classes), TAXONOMY, lambda _, at: rng.normal(0, 4, (len(at), 8))
    )
    answers = answer(model, {"species": 0.5, "genus": 2.0}, test)
    species, genus = (answers.ranks[rank].probabilities(calibrated=True) for rank in ("species", "genus"))
    assert (genus[:, 1] >= species[:, 1:3].max(axis=1)).all()
    assert (genus[:, 2] >= species[:, 3:].max(axis=1)).all()
    assert (answers.ranks["genus"].predicted == genus.argmax(axis=1)).all()
