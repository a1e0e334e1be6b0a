"""A classifier fitted to frozen features before fine-tuning."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fieldguide.errors import TrainingError
from fieldguide.learn.embed_files import BACKBONE_FILE, features_path, ids_path
from fieldguide.learn.labels import map_labels
from fieldguide.learn.linear_probe import fit_probe, initialise_head
from fieldguide.learn.network import Network, classifier_of, split_logits
from fieldguide.records.reader import RecordSet
from tests.learn.making import make_network
from tests.records.making import TAXONOMY


@pytest.mark.parametrize("num_present", [1, 2, 3])
def test_probe_separates_what_is_separable(num_present: int):
    generator = np.random.default_rng(0)
    labels = np.tile(np.arange(num_present) + 1, 20)
    features = (10 * labels[:, None] + generator.standard_normal((len(labels), 4))).astype(np.float32)
    features[np.arange(len(labels)), labels] += 20
    weight, bias = fit_probe(features, labels, 5)
    assert (weight.shape, weight.dtype, bias.shape) == ((5, 4), np.float32, (5,))
    if num_present > 1:
        assert np.array_equal((features @ weight.T + bias).argmax(1), labels)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    save_file(make_network().module.state_dict(), tmp_path / "w.safetensors")
    return make_network(weights={"from": "file", "path": str(tmp_path / "w.safetensors"), "sha256": None})


@pytest.fixture
def embed(tmp_path: Path, network: Network, train: RecordSet) -> Path:
    """Embeddings in which the species is easy to see."""
    labels = train.labels("species")
    features = np.random.default_rng(0).standard_normal((len(train), 1280)) * 0.1
    features[np.arange(len(train)), labels] += 3
    np.save(features_path(tmp_path, "train"), features.astype(np.float16))
    ids_path(tmp_path, "train").write_text("\n".join(train.photo_ids))
    backbone = network.spec.model_dump(mode="json", include={"architecture", "architecture_args", "image_size"})
    backbone |= network.spec.model_dump(mode="json", include={"mean", "std", "weights"})
    (tmp_path / BACKBONE_FILE).write_text(json.dumps({**backbone, "dim": 1280}))
    return tmp_path


def test_head_answers_like_the_regression(network: Network, embed: Path, train: RecordSet):
    labels = map_labels(train, TAXONOMY.classes, TAXONOMY.ranks)
    initialise_head(network, embed, train, np.arange(48), labels)
    features = torch.from_numpy(np.load(features_path(embed, "train")).astype(np.float32))
    with torch.inference_mode():
        logits = split_logits(classifier_of(network.module)(features), network.spec)
    assert (logits["species"].argmax(1).numpy() == labels[:, 0]).mean() > 0.95
    assert (logits["genus"].argmax(1).numpy() == labels[:, 1]).mean() > 0.95


def test_what_does_not_belong_together_is_refused(network: Network, embed: Path, train: RecordSet):
    labels = map_labels(train, TAXONOMY.classes, TAXONOMY.ranks)

    def attempt(which: Network = network) -> None:
        initialise_head(which, embed, train, np.arange(40), labels)

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
