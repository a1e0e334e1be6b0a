"""Builds, feeds and exports networks as later stages will; imports PyTorch."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from PIL import Image

from fieldguide.errors import FieldguideError
from fieldguide.learn.network import build_module, build_network, create_module, save_network
from fieldguide.learn.onnx_export import export_onnx
from fieldguide.learn.optimisation import make_optimizer
from fieldguide.learn.params import BackboneParams
from fieldguide.learn.student import check_sides
from fieldguide.learn.student_params import DistillationParams
from fieldguide.learn.training_params import TrainingParams
from fieldguide.learn.transforms import build_transforms

NUM_OUTPUTS = 4
USUAL_SIDE = 256
"""Of a record, px, where the params do not say."""


def try_networks(networks: Mapping[str, BackboneParams], side: int, onnx_file: Path) -> list[str]:
    """What keeps networks from being built and trained on records of `side` px; writes the student to `onnx_file`."""
    return [
        f"{name}: {text}"
        for name, network in networks.items()
        for text in _try_network(network, side or USUAL_SIDE, onnx_file)
    ]


def _try_network(network: BackboneParams, side: int, onnx_file: Path) -> Iterator[str]:
    try:
        # Any architecture can be embedded; only what is trained has to end in one classifier.
        build = build_module if isinstance(network, TrainingParams) else create_module
        module = build(network, NUM_OUTPUTS, seed=0)
        if isinstance(network, TrainingParams):
            make_optimizer(module, network)
            _augment(network, side)
        if isinstance(network, DistillationParams):
            check_sides(module, network)
            _export(network, onnx_file)
    except FieldguideError as error:
        yield str(error)


def _augment(network: TrainingParams, side: int) -> None:
    transform = build_transforms(network.transforms)
    try:
        transform(Image.new("RGB", (side, side)))
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        raise FieldguideError(f"transforms fail on a photo of {side} px: {' '.join(str(error).split())}") from None


def _export(student: DistillationParams, onnx_file: Path) -> None:
    classes = {"species": [f"class {number}" for number in range(NUM_OUTPUTS)]}
    with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
        save_network(build_network(student, ranks=["species"], classes=classes, region=None, seed=0), Path(folder))
        export_onnx(Path(folder), onnx_file)
