"""The classifier is adjusted in its own weights, and only as strongly as the validation photos want it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from fieldguide.learn.imbalance import log_prior
from fieldguide.learn.labels import UNKNOWN
from fieldguide.learn.network import Network, classifier_of, split_logits
from fieldguide.learn.rebalancing import STRENGTHS, rebalance_classifier
from fieldguide.learn.training_params import Rebalancing
from fieldguide.learn.validation import Validation
from tests.learn.making import make_network

FEATURES = torch.randn(40, 1280, generator=torch.Generator().manual_seed(1)) * 0.2


@dataclass
class Answers:
    """A validation of features instead of photos; the backbone has no part in this."""

    labels: Tensor

    def answers(self, network: Network) -> Iterator[tuple[Tensor, Tensor]]:
        with torch.no_grad():
            logits = classifier_of(network.module)(FEATURES)
        yield from zip(logits.split(16), self.labels.split(16), strict=True)


def biased_network() -> tuple[Network, dict[str, np.ndarray], Answers]:
    """A network that prefers the first species, and labels that it would get right if it did not."""
    network = make_network()
    species = network.spec.class_counts[0]
    counts = {
        "species": np.array([1000.0] + [10.0] * (species - 1)),
        "genus": np.ones(network.spec.class_counts[1]),
    }
    classifier = classifier_of(network.module)
    with torch.no_grad():
        logits = split_logits(classifier(FEATURES), network.spec)
        labels = torch.stack([logits["species"].argmax(1), torch.full((40,), UNKNOWN)], dim=1)
        labels[5, 0] = UNKNOWN
        classifier.bias[:species] += torch.from_numpy(log_prior(counts["species"])).float()
    return network, counts, Answers(labels)


def adjust(network: Network, method: Rebalancing, counts: dict[str, np.ndarray], answers: Answers) -> dict[str, Any]:
    return rebalance_classifier(network, {"species": method}, counts, cast(Validation, answers))


def test_logit_adjustment_takes_the_prior_off_as_far_as_val_wants():
    network, counts, answers = biased_network()
    before = classifier_of(network.module).bias.detach().clone()
    chosen = adjust(network, "logit_adjustment", counts, answers)
    assert chosen["val_macro_before_species"] < chosen["val_macro_species"] == 1.0
    strength = chosen["rebalance_species"]
    assert 0.5 < strength <= 1.05
    expected = before.clone()
    expected[: len(counts["species"])] -= torch.from_numpy(strength * log_prior(counts["species"])).float()
    torch.testing.assert_close(classifier_of(network.module).bias.detach(), expected)


def test_tau_norm_evens_out_the_lengths_of_the_weights():
    network, counts, answers = biased_network()
    classifier, species = classifier_of(network.module), len(counts["species"])
    with torch.no_grad():
        classifier.bias.zero_()
        answers.labels[:, 0] = split_logits(classifier(FEATURES), network.spec)["species"].argmax(1)
        classifier.weight[0] *= 20
    genus = classifier.weight[species:].detach().clone()
    chosen = adjust(network, "tau_norm", counts, answers)
    assert chosen["val_macro_species"] > chosen["val_macro_before_species"]
    assert chosen["rebalance_species"] > 0
    lengths = classifier.weight[:species].detach().norm(dim=1)
    assert lengths[0] / lengths[1:].mean() < 20
    torch.testing.assert_close(classifier.weight[species:].detach(), genus)


@pytest.mark.parametrize("method", ["logit_adjustment", "tau_norm"])
def test_a_classifier_that_needs_nothing_stays_as_it_is(method: Rebalancing):
    network, counts, answers = biased_network()
    classifier = classifier_of(network.module)
    with torch.no_grad():
        answers.labels[:, 0] = split_logits(classifier(FEATURES), network.spec)["species"].argmax(1)
    before = classifier.weight.detach().clone(), classifier.bias.detach().clone()
    chosen = adjust(network, method, counts, answers)
    assert chosen == {"rebalance_species": 0.0, "val_macro_before_species": 1.0, "val_macro_species": 1.0}
    assert torch.equal(classifier.weight, before[0])
    assert torch.equal(classifier.bias, before[1])


def test_strength_0_is_tried_first():
    assert {strengths[0] for strengths in STRENGTHS.values()} == {0.0}
