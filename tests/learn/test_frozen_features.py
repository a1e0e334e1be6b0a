"""The features that a first head is fitted to: embed's, or what the network's own backbone gives."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fieldguide.errors import TrainingError
from fieldguide.learn.embed_files import BACKBONE_FILE, features_path, ids_path
from fieldguide.learn.frozen_features import find_features
from fieldguide.learn.network import Network, classifier_of
from fieldguide.learn.predict import predict_batches
from fieldguide.learn.student import prepare_student
from fieldguide.learn.student_params import DistillationParams
from fieldguide.records.reader import RecordSet
from tests.learn.making import make_network, student_section

ROWS = np.arange(3, 40)


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, Any]:
    save_file(make_network().module.state_dict(), tmp_path / "w.safetensors")
    return {"from": "file", "path": str(tmp_path / "w.safetensors"), "sha256": None, "licence": None}


@pytest.fixture
def network(weights: dict[str, Any]) -> Network:
    return make_network(weights=weights)


@pytest.fixture
def embed(tmp_path: Path, network: Network, train: RecordSet) -> Path:
    """A folder as the embed stage leaves it."""
    features = np.random.default_rng(0).standard_normal((len(train), 1280)).astype(np.float16)
    np.save(features_path(tmp_path, "train"), features)
    ids_path(tmp_path, "train").write_text("\n".join(train.photo_ids))
    backbone = network.spec.model_dump(mode="json", include={"architecture", "architecture_args", "image_size"})
    backbone |= network.spec.model_dump(mode="json", include={"mean", "std", "weights"})
    (tmp_path / BACKBONE_FILE).write_text(json.dumps({**backbone, "dim": 1280}))
    return tmp_path


def params_of(**changes: Any) -> DistillationParams:
    return DistillationParams.model_validate(student_section(head_init="linear_probe", **changes))


def test_embeds_are_taken_as_they_are(network: Network, embed: Path, tfrecord: Path, train: RecordSet):
    features = find_features(network, params_of(), tfrecord, embed, train, ROWS)
    assert features.dtype == np.float32
    assert np.array_equal(features, np.load(features_path(embed, "train"))[ROWS])


def test_without_a_folder_the_backbone_is_asked_once(
    network: Network,
    weights: dict[str, Any],
    tfrecord: Path,
    train: RecordSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    params = params_of(weights=weights)
    features = find_features(network, params, tfrecord, None, train, ROWS)
    # What the classifier sees, and so gives its logits of.
    with torch.inference_mode():
        logits = classifier_of(network.module)(torch.from_numpy(features)).numpy()
    expected = np.concatenate(list(predict_batches(network, train, ROWS, batch_size=8, workers=0)))
    np.testing.assert_allclose(logits, expected, atol=0.01)
    monkeypatch.setattr("fieldguide.learn.embedder.extract_prelogits", None)
    again = find_features(network, params_of(weights=weights, batch_size=4), tfrecord, None, train, ROWS)
    assert np.array_equal(again, features)


def test_a_students_head_starts_as_the_probe_of_its_own_features(
    weights: dict[str, Any], tfrecord: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    scores = {}
    for head_init in ("none", "linear_probe"):
        params = DistillationParams.model_validate(student_section(head_init=head_init, weights=weights))
        setup = prepare_student(params, tfrecord)
        own = setup.labels[setup.indices, 0]
        answers = np.concatenate(
            list(predict_batches(setup.network, setup.records, setup.indices, batch_size=8, workers=0))
        )
        scores[head_init] = (answers[:, : setup.network.spec.class_counts[0]].argmax(axis=1) == own).mean()
    assert scores["linear_probe"] > scores["none"]


def test_what_does_not_belong_together_is_refused(network: Network, embed: Path, tfrecord: Path, train: RecordSet):
    def attempt(which: Network = network) -> None:
        find_features(which, params_of(), tfrecord, embed, train, ROWS)

    with pytest.raises(TrainingError, match="weights are from scratch; expected weights from file or hub"):
        attempt(make_network())
    larger = Network(network.module, network.spec.model_copy(update={"image_size": 64}))
    with pytest.raises(TrainingError, match="has image_size 32 and this network 64; embed with the same backbone"):
        attempt(larger)
    ids_path(embed, "train").write_text("\n".join(reversed(train.photo_ids)))
    with pytest.raises(TrainingError, match="lists other photos than the records"):
        attempt()
    (embed / BACKBONE_FILE).unlink()
    with pytest.raises(TrainingError, match=r"backbone\.json is missing; run the embed stage first"):
        attempt()
