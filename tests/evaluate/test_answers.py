"""Which photos a model is asked about, and how its answers are brought into one form."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.special import softmax

from fieldguide.errors import RecordError
from fieldguide.evaluate.answers import EvaluatedModel, RankAnswers, answer, calibrate, concerned_photos
from fieldguide.evaluate.calibration import TemperatureFit
from fieldguide.evaluate.models import network_model
from fieldguide.learn.description import NetworkSpec
from fieldguide.learn.labels import UNKNOWN
from fieldguide.records.reader import RecordSet
from tests.evaluate.making import answers_of
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


def in_batches(logits: dict[str, np.ndarray], size: int = 4) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, len(next(iter(logits.values()))), size):
        yield {rank: of_rank[start : start + size] for rank, of_rank in logits.items()}


def all_knowing(records: RecordSet, indices: np.ndarray, classes: dict[str, list[str]]) -> dict[str, np.ndarray]:
    logits = {}
    for rank, names in classes.items():
        true = [TAXONOMY.classes[rank][label] for label in records.labels(rank)[indices].tolist()]
        logits[rank] = np.array([[4.0 * (name == truth) for name in names] for truth in true], np.float32)
    return logits


def test_a_regional_model_is_asked_about_its_region_and_species(val: RecordSet, test: RecordSet):
    model = EvaluatedModel("north", "north", NORTH, lambda *photos: in_batches(all_knowing(*photos, NORTH)))
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
    model = EvaluatedModel("all", None, TAXONOMY.classes, lambda *_: iter(()))
    indices, labels = concerned_photos(model, test)
    assert indices.tolist() == list(range(30))
    assert (labels[:, 0] == test.labels("species")).all()


def test_higher_classes_that_a_model_lacks_are_unknown(test: RecordSet):
    model = EvaluatedModel(
        "x", None, {"species": TAXONOMY.classes["species"], "genus": ["other", "Linum"]}, lambda *_: iter(())
    )
    _, labels = concerned_photos(model, test)
    assert set(labels[:, 1].tolist()) == {UNKNOWN, 1}


def test_no_photo_left_is_an_error(test: RecordSet):
    model = EvaluatedModel("far", "moon", NORTH, lambda *_: iter(()))
    with pytest.raises(RecordError, match="far knows the species of no test photo in region 'moon'"):
        answer(model, {}, test)


def test_outputs_are_cut_by_rank(test: RecordSet):
    logits = np.arange(2 * 8, dtype=np.float32).reshape(2, 8)
    model = network_model("net", spec(["species", "genus"], TAXONOMY.classes), TAXONOMY, lambda *_: [logits])
    (answered,) = model.predict(test, np.arange(2))
    assert list(answered) == ["species", "genus"]
    assert answered["species"].tolist() == logits[:, :5].tolist()
    assert answered["genus"].tolist() == logits[:, 5:].tolist()


def test_a_rank_without_outputs_adds_up_its_species(test: RecordSet):
    shares = np.array([[0.1, 0.2, 0.3, 0.35, 0.05]], np.float32)
    one_rank = spec(["species"], {"species": TAXONOMY.classes["species"]})
    model = network_model("net", one_rank, TAXONOMY, lambda _, at: [np.log(shares).repeat(len(at), axis=0)])
    answers = answer(model, {"species": 1.0, "genus": 1.0}, test)
    for confidence in (answers.ranks["genus"].raw, answers.ranks["genus"].calibrated):
        np.testing.assert_allclose(confidence.best[0], [0.5, 0.4, 0.1], rtol=1e-5)


def test_a_genus_is_never_less_likely_than_one_of_its_species(test: RecordSet):
    rng = np.random.default_rng(5)
    model = network_model(
        "net", spec(["species", "genus"], TAXONOMY.classes), TAXONOMY, lambda _, at: [rng.normal(0, 4, (len(at), 8))]
    )
    answers = answer(model, {"species": 0.5, "genus": 2.0}, test)
    species, genus = (answers.ranks[rank].calibrated for rank in ("species", "genus"))
    assert (genus.named >= species.named - 1e-6).all()


def test_what_is_kept_of_the_logits_is_right():
    random = np.random.default_rng(0)
    # Whole numbers, so that many classes are equally likely.
    logits = random.integers(-3, 4, (300, 1200)).astype(np.float32)
    labels = random.integers(-1, 1200, 300)
    classes = ["other", *(f"a{number}" for number in range(1199))]
    answers = answers_of(classes, labels, logits, 2.0)
    order = np.argsort(-logits, axis=1, kind="stable")
    np.testing.assert_array_equal(answers.best, order[:, :5])
    np.testing.assert_array_equal(answers.predicted, logits.argmax(axis=1))
    for photo, label in enumerate(labels.tolist()):
        place = 1200 if label == UNKNOWN else order[photo].tolist().index(label)
        assert (answers.place[photo], answers.is_right[photo]) == (place, place == 0)
    for confidence, temperature in ((answers.raw, 1.0), (answers.calibrated, 2.0)):
        probabilities = softmax(logits / np.float32(temperature), axis=1)
        np.testing.assert_allclose(confidence.best, -np.sort(-probabilities, axis=1)[:, :5], rtol=1e-6)
        truth = np.where(labels == UNKNOWN, 0, probabilities[np.arange(300), labels])
        np.testing.assert_allclose(confidence.truth, truth, rtol=1e-6)
        np.testing.assert_allclose(confidence.named, probabilities[:, 1:].max(axis=1), rtol=1e-6)


def test_a_model_that_knows_other_alone_is_sure_of_no_species():
    answers = answers_of(["other"], np.array([0, UNKNOWN]), np.zeros((2, 1), np.float32), 1.0)
    assert answers.calibrated.named.tolist() == [0, 0]
    assert answers.best.tolist() == [[0], [0]]


def test_memory_does_not_grow_with_photos_times_classes(test: RecordSet):
    classes = ["other", *(f"a{number}" for number in range(19_999))]
    size, num_batches = 30, 40
    batch = np.random.default_rng(0).normal(size=(size, len(classes))).astype(np.float32)
    labels = np.arange(size)

    def evaluate(times: int) -> int:
        tracemalloc.start()
        fit, parts = TemperatureFit(), []
        for _ in range(times):
            fit.add(batch, labels)
            parts.append(answers_of(classes, labels, batch, 1.5))
        assert len(RankAnswers.joined(parts).labels) == size * times
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    assert evaluate(num_batches) - evaluate(1) < 0.01 * num_batches * batch.nbytes
