"""The networks of every preset can be built and start as they were pretrained."""

from typing import Any

import pytest
import timm
import torch
from PIL import Image

from fieldguide.learn.network import build_module
from fieldguide.learn.optimisation import make_optimizer
from fieldguide.learn.params import BackboneParams, EmbedParams, HubWeights, ScratchWeights
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.training_params import TeacherParams, TrainingParams
from fieldguide.learn.transforms import build_transforms
from fieldguide.params import pick_section
from fieldguide.presets import expand, load_overlay, preset_names

PRESETS = {name: expand(load_overlay(name)) for name in preset_names()}
SCRATCH = ScratchWeights.model_validate({"from": "scratch"})

each_preset = pytest.mark.parametrize("preset", PRESETS)


def trained(preset: str) -> dict[str, TrainingParams]:
    """The sections that train a network, by name."""
    params = PRESETS[preset]
    teachers = {
        f"teacher-{name}": pick_section(TeacherParams, f"train_teacher.{name}", params)
        for name in params["train_teacher"]
    }
    return {**teachers, "student": pick_section(DistillationParams, "distill_student", params)}


def backbones(preset: str) -> dict[str, BackboneParams]:
    """Every section that names an architecture."""
    return {"embed": pick_section(EmbedParams, "embed", PRESETS[preset]).backbone, **trained(preset)}


def networks() -> list[Any]:
    """Each distinct network of all presets once: most share theirs."""
    found = {}
    for preset in PRESETS:
        for name, section in backbones(preset).items():
            args = sorted(section.architecture_args.items())
            found.setdefault((section.architecture, section.image_size, str(args)), (f"{preset}-{name}", section))
    return [pytest.param(section, id=name) for name, section in found.values()]


@pytest.mark.slow
@pytest.mark.parametrize("section", networks())
def test_an_architecture_takes_its_images(section: BackboneParams):
    # On the meta device tensors have shapes and no contents: nothing is downloaded, drawn or computed.
    with torch.device("meta"):
        module = build_module(section.model_copy(update={"weights": SCRATCH}), num_outputs=7, seed=0)
    assert {parameter.device.type for parameter in module.parameters()} == {"meta"}


@each_preset
def test_pixels_are_normalised_as_the_pretrained_network_wants_them(preset: str):
    for name, section in backbones(preset).items():
        if isinstance(section.weights, HubWeights):
            published = timm.get_pretrained_cfg(section.architecture)
            assert (section.mean, section.std) == (published.mean, published.std), name
            assert section.image_size == published.input_size[1], name


@each_preset
def test_optimisers_and_augmentations_can_be_made(preset: str):
    side = PRESETS[preset]["resize"]["size"]
    for name, section in trained(preset).items():
        image = build_transforms(section.transforms)(Image.new("RGB", (side, side)))
        assert isinstance(image, Image.Image), name
        with torch.device("meta"):
            module = timm.create_model("test_vit", num_classes=7)
        # Layers are told apart where the rate shrinks from one to the next.
        rates = {group["lr"] * group.get("lr_scale", 1) for group in make_optimizer(module, section).param_groups}
        assert (len(rates) > 1) == (section.layer_decay is not None), name
