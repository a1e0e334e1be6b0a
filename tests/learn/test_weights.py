"""Where first weights come from, and what is refused."""

import pickle
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from fieldguide.errors import TrainingError
from fieldguide.files import file_sha256
from fieldguide.learn.params import BackboneParams
from fieldguide.learn.weights import read_state_dict
from tests.learn.making import backbone_section, largest_difference, make_network

VIT = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 1, "num_heads": 2}


def from_file(path: Path, sha256: str | None = None, licence: str | None = "MIT") -> dict[str, object]:
    return {"from": "file", "path": str(path), "sha256": sha256, "licence": licence}


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_from_a_file_fill_everything_but_a_classifier_of_another_shape(tmp_path: Path, suffix: str):
    state = {key: value + 1 for key, value in make_network(seed=1).module.state_dict().items()}
    state["classifier.weight"], state["classifier.bias"] = torch.zeros(1000, 1280), torch.zeros(1000)
    path = tmp_path / f"weights{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)

    network = make_network(seed=2, weights=from_file(path))
    own, fresh = network.module.state_dict(), make_network(seed=2).module.state_dict()
    for name in ("classifier.weight", "classifier.bias"):
        assert torch.equal(own.pop(name), fresh[name])
        del state[name]
    assert largest_difference(own, state) == 0.0
    assert network.spec.weights == {"from": "file", "path": str(path), "sha256": file_sha256(path), "licence": "MIT"}


def test_scratch_weights_depend_on_the_seed_alone():
    first = make_network(seed=1).module.state_dict()
    torch.rand(3)
    assert largest_difference(first, make_network(seed=1).module.state_dict()) == 0.0
    assert largest_difference(first, make_network(seed=2).module.state_dict()) > 0.0


def test_position_embedding_is_resampled_to_the_grid(tmp_path: Path):
    large = make_network(architecture="vit_tiny_patch16_224", architecture_args={**VIT, "img_size": 64}, image_size=64)
    save_file(large.module.state_dict(), tmp_path / "large.safetensors")
    small = make_network(
        architecture="vit_tiny_patch16_224", architecture_args=VIT, weights=from_file(tmp_path / "large.safetensors")
    )
    assert small.module.state_dict()["pos_embed"].shape == (1, 1 + 16, 32)
    prefix = small.module.state_dict()["pos_embed"][:, 0]
    assert torch.equal(prefix, large.module.state_dict()["pos_embed"][:, 0])


def test_any_other_mismatch_names_the_first_keys(tmp_path: Path):
    state = make_network().module.state_dict()
    state["extra"] = torch.zeros(1)
    state["conv_stem.weight"] = torch.zeros(1, 1)
    del state["bn1.bias"]
    save_file(state, tmp_path / "w.safetensors")
    expected = r"1 absent \(bn1.bias\); 1 unknown \(extra\); 1 of another shape \(conv_stem.weight\)"
    with pytest.raises(TrainingError, match=expected):
        make_network(weights=from_file(tmp_path / "w.safetensors"))


def test_unexpected_digest_and_missing_file(tmp_path: Path):
    save_file(make_network().module.state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(TrainingError, match=r"has sha256 .*; expected abc"):
        make_network(weights=from_file(tmp_path / "w.safetensors", "abc"))
    with pytest.raises(TrainingError, match=r"gone\.pth is missing"):
        make_network(weights=from_file(tmp_path / "gone.pth"))


class Hostile:
    def __reduce__(self):
        return (print, ("code from a weights file ran",))


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    torch.save({"weight": Hostile()}, tmp_path / "a.pth")
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Hostile(), protocol=2))
    torch.save({"epoch": 3}, tmp_path / "c.pth")
    (tmp_path / "d.safetensors").write_bytes(b"\xff" * 100)
    for name in ("a.pth", "b.pth", "c.pth", "d.safetensors"):
        with pytest.raises(TrainingError, match=f"{name} (is not|holds more than)"):
            read_state_dict(tmp_path / name)
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize("weights", [{}, {"from": "elsewhere"}, {"from": "scratch", "path": "x"}, {"from": "file"}])
def test_the_origin_is_never_guessed(weights: dict[str, str]):
    with pytest.raises(ValidationError):
        BackboneParams.model_validate(backbone_section(weights=weights))
