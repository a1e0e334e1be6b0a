"""Networks are built, saved and loaded as model.json says."""

import json
from pathlib import Path

import pytest
import torch

from fieldguide.errors import TrainingError
from fieldguide.learn.network import classifier_of, extract_prelogits, load_network, save_network, split_logits
from tests.learn.making import largest_difference, make_network
from tests.records.making import TAXONOMY


def test_saved_network_loads_with_the_same_answers(tmp_path: Path):
    network = make_network()
    save_network(network, tmp_path)
    loaded = load_network(tmp_path)
    assert loaded.spec == network.spec
    assert largest_difference(loaded.module.state_dict(), network.module.state_dict()) == 0.0
    assert not loaded.module.training


def test_saving_twice_gives_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_network(make_network(), tmp_path / name)
    for file in ("model.safetensors", "model.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_model_json_holds_the_documented_keys(tmp_path: Path):
    save_network(make_network(), tmp_path)
    content = json.loads((tmp_path / "model.json").read_text())
    assert list(content) == [
        "architecture", "architecture_args", "image_size", "mean", "std", "mask_padding", "ranks", "classes", "region",
        "weights", "seed", "num_parameters", "epoch", "teachers",
    ]  # fmt: skip


def test_one_classifier_gives_the_classes_of_all_ranks():
    network = make_network()
    assert classifier_of(network.module).out_features == network.spec.num_outputs == 5 + 3
    logits = torch.arange(16.0).reshape(2, 8)
    parts = split_logits(logits, network.spec)
    assert [parts[rank].shape[1] for rank in TAXONOMY.ranks] == [5, 3]
    assert torch.equal(torch.cat(list(parts.values()), dim=1), logits)


@pytest.mark.parametrize(
    ("architecture", "args"),
    [
        ("mobilenetv2_035", {}),
        ("mobilenetv3_small_050", {}),
        ("efficientvit_b0", {}),
        ("vit_tiny_patch16_224", {"img_size": 32, "depth": 1}),
    ],
)
def test_prelogits_are_what_the_classifier_sees(architecture: str, args: dict[str, int]):
    module = make_network(architecture=architecture, architecture_args=args).module.eval()
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        finished = classifier_of(module)(extract_prelogits(module, images))
        torch.testing.assert_close(finished, module(images))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "mobilenetv2_10"}, "unknown to timm; close names: mobilenetv2_1"),
        ({"architecture": "hf-hub:someone/something"}, "unknown to timm"),
        ({"architecture_args": {"wings": 2}}, "cannot be built with {'wings': 2}"),
        ({"architecture_args": {"checkpoint_path": "x.pth"}}, "may not hold checkpoint_path"),
        ({"architecture_args": {"pretrained": True}}, "may not hold pretrained"),
        ({"architecture": "vit_tiny_patch16_224", "architecture_args": {}}, "does not take images of 32 px"),
        (
            {"architecture": "levit_128s", "architecture_args": {}, "image_size": 224},
            "not end in one linear classifier",
        ),
    ],
)
def test_what_cannot_be_built_is_one_line(changes: dict[str, object], message: str):
    with pytest.raises(TrainingError, match=message) as caught:
        make_network(**changes)
    assert "\n" not in str(caught.value)


def test_a_damaged_folder_is_one_line(tmp_path: Path):
    with pytest.raises(TrainingError, match=r"model\.json is missing; has training finished"):
        load_network(tmp_path)
    save_network(make_network(), tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(TrainingError, match=r"model\.safetensors is missing"):
        load_network(tmp_path)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(TrainingError, match=r"model\.json: architecture: Field required"):
        load_network(tmp_path)
