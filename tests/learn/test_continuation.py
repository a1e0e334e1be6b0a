"""A teacher that starts from another one knows what that one knew, by name."""

from pathlib import Path

import pytest
import torch

from fieldguide.errors import RecordError, TrainingError
from fieldguide.files import file_sha256
from fieldguide.learn.continuation import start_from
from fieldguide.learn.network import Network, build_network, classifier_of, save_network
from fieldguide.learn.params import BackboneParams
from tests.learn.making import backbone_section, make_network

REGIONAL = {"species": ["other", "Linum album", "Novum rarum"], "genus": ["Linum", "other"]}


def make_regional(**changes: object) -> Network:
    backbone = BackboneParams.model_validate(backbone_section(**changes))
    return build_network(backbone, ranks=["species", "genus"], classes=REGIONAL, region="north", seed=1)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """The folder of a teacher of all classes."""
    folder = tmp_path / "global"
    folder.mkdir()
    save_network(make_network(seed=2), folder)
    return folder


def test_rows_of_the_classifier_go_by_rank_and_name(trained: Path):
    fresh, network = make_regional(), start_from(make_regional(), trained)
    given = make_network(seed=2)
    own, expected = network.module.state_dict(), given.module.state_dict()
    for key in own.keys() - {"classifier.weight", "classifier.bias"}:
        assert torch.equal(own[key], expected[key]), key
    # species: other, Aster alpinus, Aster bellus, Linum album, Linum nudum; genus: other, Aster, Linum
    sources = [0, 3, None, 5 + 2, 5 + 0]
    for part in ("weight", "bias"):
        rows, untouched = (getattr(classifier_of(each.module), part) for each in (network, fresh))
        theirs = getattr(classifier_of(given.module), part)
        for row, source in enumerate(sources):
            assert torch.equal(rows[row], untouched[row] if source is None else theirs[source]), (part, row)


def test_the_description_says_where_the_weights_come_from(trained: Path):
    spec = start_from(make_regional(), trained).spec
    assert spec.weights == {
        "from": "teacher",
        "name": "global",
        "sha256": file_sha256(trained / "model.safetensors"),
        "weights": {"from": "scratch"},
    }
    assert (spec.classes, spec.region) == (REGIONAL, "north")


def test_as_many_classes_in_another_order_are_no_coincidence(trained: Path):
    backbone = BackboneParams.model_validate(backbone_section())
    given = make_network(seed=2)
    turned = {rank: names[::-1] for rank, names in given.spec.classes.items()}
    network = build_network(backbone, ranks=["species", "genus"], classes=turned, region=None, seed=1)
    started = classifier_of(start_from(network, trained).module)
    assert torch.equal(started.weight[:5], classifier_of(given.module).weight[:5].flip(0))


def test_what_cannot_be_taken_is_one_line(trained: Path):
    with pytest.raises(TrainingError, match=r"gone/model\.json is missing; has training finished\?"):
        start_from(make_regional(), trained.with_name("gone"))
    with pytest.raises(
        TrainingError, match=r"global/model\.safetensors does not fit EfficientNet: .* of another shape"
    ):
        start_from(make_regional(architecture="mobilenetv2_050"), trained)
    (trained / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises((TrainingError, RecordError), match=r"model\.safetensors"):
        start_from(make_regional(), trained)
