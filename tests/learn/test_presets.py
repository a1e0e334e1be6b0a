"""The networks of every preset can be built, start as they were pretrained, and know each other."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from PIL import Image

from fieldguide.learn.linear_probe import COMPARED
from fieldguide.learn.network import build_module
from fieldguide.learn.optimisation import make_optimizer
from fieldguide.learn.params import (
    BackboneParams,
    DistillationParams,
    EmbedParams,
    HubWeights,
    ScratchWeights,
    TeacherParams,
    TrainingParams,
)
from fieldguide.learn.transforms import build_transforms
from fieldguide.params import load_section, read_params
from tests.pipeline.project import ROOT

PRESETS = sorted((ROOT / "presets").glob("*.yaml"))
SCRATCH = ScratchWeights.model_validate({"from": "scratch"})

each_preset = pytest.mark.parametrize("file", PRESETS, ids=[file.stem for file in PRESETS])


def trained(file: Path) -> dict[str, TrainingParams]:
    """The sections that train a network, by name."""
    teachers = {
        f"teacher-{name}": load_section(TeacherParams, f"train_teacher.{name}", file)
        for name in read_params(file)["train_teacher"]
    }
    return {**teachers, "student": load_section(DistillationParams, "distill_student", file)}


def backbones(file: Path) -> dict[str, BackboneParams]:
    """Every section that names an architecture."""
    return {"embed": load_section(EmbedParams, "embed", file).backbone, **trained(file)}


def networks() -> list[Any]:
    """Each distinct network of all presets once: most share theirs."""
    found = {}
    for file in PRESETS:
        for name, section in backbones(file).items():
            args = sorted(section.architecture_args.items())
            found.setdefault((section.architecture, section.image_size, str(args)), (f"{file.stem}-{name}", section))
    return [pytest.param(section, id=name) for name, section in found.values()]


@pytest.mark.slow
@pytest.mark.parametrize("section", networks())
def test_an_architecture_takes_its_images(section: BackboneParams):
    # On the meta device tensors have shapes and no contents: nothing is downloaded, drawn or computed.
    with torch.device("meta"):
        module = build_module(section.model_copy(update={"weights": SCRATCH}), num_outputs=7, seed=0)
    assert {parameter.device.type for parameter in module.parameters()} == {"meta"}


@each_preset
def test_pixels_are_normalised_as_the_pretrained_network_wants_them(file: Path):
    for name, section in backbones(file).items():
        if isinstance(section.weights, HubWeights):
            published = timm.get_pretrained_cfg(section.architecture)
            assert (section.mean, section.std) == (published.mean, published.std), name
            assert section.image_size == published.input_size[1], name


@each_preset
def test_optimisers_and_augmentations_can_be_made(file: Path):
    side = read_params(file)["resize"]["size"]
    for name, section in trained(file).items():
        image = build_transforms(section.transforms)(Image.new("RGB", (side, side)))
        assert isinstance(image, Image.Image), name
        with torch.device("meta"):
            module = timm.create_model("test_vit", num_classes=7)
        # Layers are told apart where the rate shrinks from one to the next.
        rates = {group["lr"] * group.get("lr_scale", 1) for group in make_optimizer(module, section).param_groups}
        assert (len(rates) > 1) == (section.layer_decay is not None), name


@each_preset
def test_sections_fit_each_other(file: Path):
    params = read_params(file)
    teachers = params["train_teacher"]
    assert set(params["distill_student"]["teachers"]) == set(teachers)
    regions = params["fetch"]["regions"]
    known = {*regions["boxes"], *regions["countries"]}
    assert {teacher["region"] for teacher in teachers.values()} <= {None, *known}
    for name, section in trained(file).items():
        assert list(section.rank_weights) == params["split"]["ranks"], name
        if section.head_init == "linear_probe":
            backbone = load_section(EmbedParams, "embed", file).backbone
            assert all(getattr(section, key) == getattr(backbone, key) for key in COMPARED), name
