"""Single-node ONNX networks, and the functions that tests run in a process of TensorFlow's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from fieldguide.errors import ExportError

IMAGE_SIZE = 48
"""Of the student, px: its last features have several places, as those of a real one, so that Mean transposes."""

if TYPE_CHECKING:
    import torch

OPSET = 20

LOOKS = {"mean": (0.5, 0.4, 0.3), "std": (0.5, 0.25, 0.2), "mask_padding": False, "weights": {"from": "scratch"}}
"""Of an untrained network's section of the params."""


@dataclass(frozen=True)
class Outcome:
    """What `run_everywhere` found."""

    operators: frozenset[str]
    """That a student may use."""
    answers: list[np.ndarray]
    messages: list[str]
    """Of the ExportErrors, `accepted` where there was none."""


def weights(*shape: int, seed: int = 0) -> np.ndarray:
    """Reproducible float32 weights."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def write_onnx(
    path: Path, nodes: Sequence[onnx.NodeProto], constants: dict[str, np.ndarray], side: int, channels: int
) -> Path:
    """A network from `image` [batch, channels, side, side] through `nodes` and a flattening to `logits`."""
    last = nodes[-1].output[-1]
    graph = helper.make_graph(
        [*nodes, helper.make_node("Flatten", [last], ["logits"], axis=1)],
        "case",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", channels, side, side])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "classes"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9), path)
    return path


def run_onnx(path: Path, images: np.ndarray) -> np.ndarray:
    """ONNX Runtime's output for NHWC images."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": np.ascontiguousarray(images.transpose(0, 3, 1, 2))})[0])


def run_everywhere(cases: Sequence[tuple[Path, np.ndarray, Path]], refused: Sequence[Path]) -> Outcome:
    """TensorFlow's view of (network, NHWC images, folder for a float32 graph model) and of networks that it refuses.

    Isolate this.
    """
    from fieldguide.export.graph import Network
    from fieldguide.export.onnx_graph import read_onnx
    from fieldguide.export.operators import OPERATORS
    from fieldguide.export.saved_model import predict_saved_model, write_saved_model
    from fieldguide.export.tfjs import write_graph_model

    answers = []
    for path, images, out in cases:
        write_saved_model(path, out / "saved_model")
        write_graph_model(out / "saved_model", out, "none")
        answers.append(predict_saved_model(out / "saved_model", images))
    messages = []
    for path in refused:
        try:
            Network(read_onnx(path)).answer.get_concrete_function()
        except ExportError as error:
            messages.append(str(error))
        else:
            messages.append("accepted")
    return Outcome(frozenset(OPERATORS), answers, messages)


def export_network(architecture: str, arguments: dict[str, int], folder: Path, images: np.ndarray) -> np.ndarray:
    """Export an untrained network of 5 classes to `folder`/student.onnx; its own logits for square NHWC images.

    Isolate this.
    """
    from fieldguide.learn.network import build_network, save_network
    from fieldguide.learn.onnx_export import export_onnx, predict_reference
    from fieldguide.learn.params import BackboneParams

    looks = {"image_size": images.shape[1], **LOOKS}
    backbone = BackboneParams.model_validate({"architecture": architecture, "architecture_args": arguments, **looks})
    classes = {"species": [f"class {number}" for number in range(5)]}
    network = build_network(backbone, ranks=["species"], classes=classes, region=None, seed=5)
    settle(network.module, images.transpose(0, 3, 1, 2))
    folder.mkdir(parents=True, exist_ok=True)
    save_network(network, folder)
    export_onnx(folder, folder / "student.onnx")
    return predict_reference(folder, images.transpose(0, 3, 1, 2))


DIM = 1280
"""Of what the student's classifier sees."""


def make_student(directory: Path) -> None:
    """A small untrained network for the flora of tests/records/making.py, stirred so that its answers differ."""
    from fieldguide.learn.network import build_network, save_network
    from fieldguide.learn.params import BackboneParams
    from tests.records.making import TAXONOMY

    section = {"architecture": "mobilenetv2_035", "architecture_args": {}, "image_size": IMAGE_SIZE, **LOOKS}
    ranks, classes = TAXONOMY.ranks, TAXONOMY.classes
    network = build_network(BackboneParams.model_validate(section), ranks=ranks, classes=classes, region=None, seed=5)
    stir(network.module)
    directory.mkdir(parents=True)
    save_network(network, directory)


def stir(module: "torch.nn.Module") -> None:
    """Give an untrained network's normalisations something to do, so that they are seen if they go wrong."""
    import torch

    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.running_mean.normal_(0, 0.1, generator=generator)
                layer.running_var.uniform_(0.7, 1.3, generator=generator)
                layer.bias.normal_(0, 0.1, generator=generator)


def settle(module: "torch.nn.Module", images: np.ndarray) -> None:
    """Give an untrained network's normalisations the statistics of these images, so that nothing in it explodes."""
    import torch

    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        module.train()(torch.from_numpy(np.ascontiguousarray(images)))
    module.eval()
