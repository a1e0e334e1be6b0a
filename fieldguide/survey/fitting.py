"""Loads weights files into the architectures that their names tell; imports PyTorch."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import timm
import torch

from fieldguide.errors import TrainingError
from fieldguide.files import file_sha256
from fieldguide.learn.network import build_module
from fieldguide.learn.params import BackboneParams, FileWeights
from fieldguide.survey.weights import BY_TENSORFLOW, Learning, Pretrained

NUM_OUTPUTS = 2


def look_at_files(files: Iterable[Path]) -> Learning:
    """Try every file; also the accelerator that training would use."""
    accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    if accelerator is None and torch.backends.mps.is_available():
        accelerator = "Apple GPU"
    pretrained, misfits = [], []
    for file in files:
        try:
            pretrained.append(fit(file))
        except TrainingError as error:
            misfits.append(str(error).partition(";")[0])
    return Learning(accelerator, tuple(pretrained), tuple(misfits))


def fit(file: Path) -> Pretrained:
    """The network that the weights in `file` belong to. Raises TrainingError if its name tells none, or a wrong one."""
    name = architecture_of(file.stem, timm.list_models())
    if name is None:
        raise TrainingError(f"weights file {file}: its name begins with no architecture of timm")
    config: Any = timm.get_pretrained_cfg(name, allow_unregistered=False)
    by_tensorflow = set(re.split(r"[._-]", file.stem.removeprefix(name))) & set(BY_TENSORFLOW)
    halves = (0.5, 0.5, 0.5)
    backbone = BackboneParams(
        architecture=name,
        architecture_args={"pad_type": "same"} if by_tensorflow else {},
        image_size=config.input_size[-1],
        mean=halves if by_tensorflow else config.mean,
        std=halves if by_tensorflow else config.std,
        mask_padding=False,
        weights=FileWeights.model_validate({"from": "file", "path": file, "sha256": None, "licence": None}),
    )
    module = build_module(backbone, NUM_OUTPUTS, seed=0)
    return Pretrained(
        file,
        file_sha256(file),
        name,
        backbone.architecture_args,
        backbone.image_size,
        backbone.mean,
        backbone.std,
        sum(parameter.numel() for parameter in module.parameters()),
    )


def architecture_of(stem: str, known: Iterable[str]) -> str | None:
    """The longest of `known` names with which `stem` begins, up to a dot, a hyphen or an underscore."""
    fitting = [name for name in known if re.match(rf"{re.escape(name)}(?![A-Za-z0-9])", stem)]
    return max(fitting, key=len, default=None)
