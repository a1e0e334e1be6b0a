"""The runtimes that a model folder answers in: PyTorch from its weights, ONNX Runtime from its graph."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from fieldguide.errors import ExportError
from fieldguide.images.geometry import Box
from fieldguide.inference.heat import NO_MAP, ClassMaps
from fieldguide.learn.description import BEST_FILE

ONNX_FILE: Final = "student.onnx"

WEIGHTS_FILES: Final = {"torch": BEST_FILE, "onnx": ONNX_FILE}
"""What tells one model from another, by runtime."""

Run = Callable[[np.ndarray], np.ndarray]
"""From inputs float32 [n, 3, S, S] to numbers float32 [n, k]."""
Hide = Callable[[np.ndarray, Sequence[Box], int], np.ndarray]
"""From such inputs, the photos' boxes in squares of a side, px, and that side, to inputs in which padding is NaN."""


@dataclass(frozen=True)
class Runtime:
    """A loaded network."""

    predict: Run
    """Logits of all ranks."""
    see: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    """Logits, and what the classifier sees: float32 [n, dim]. Raises ExportError where that is not known."""
    open_maps: Callable[[], ClassMaps]
    """What says where it looked. Raises ExportError where that is not known."""
    hide_padding: Hide | None = None
    """Of a network that masks padding: to be done to its inputs."""


def load_torch(folder: Path) -> Runtime:
    """The network of model.json and model.safetensors. Raises TrainingError or RecordError."""
    import torch

    from fieldguide.learn.network import classifier_of, load_network
    from fieldguide.learn.padding import hide_padding
    from fieldguide.records.torch.part import Part
    from fieldguide.records.torch.valid_box import follow_box

    network = load_network(folder)
    module = network.module

    def run(forward: Callable[[torch.Tensor], torch.Tensor]) -> Run:
        def answer(images: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                found: np.ndarray = forward(torch.from_numpy(images)).numpy()
                return found

        return answer

    def hide(images: np.ndarray, boxes: Sequence[Box], side: int) -> np.ndarray:
        whole, sizes = Part(0, 0, side, side), [(images.shape[2], images.shape[3])]
        found = torch.tensor([follow_box(box, whole, sizes) for box in boxes])
        hidden: np.ndarray = hide_padding(torch.from_numpy(images), found).numpy()
        return hidden

    def open_maps() -> ClassMaps:
        classifier, timm_model = classifier_of(module), cast(Any, module)
        weight, bias = classifier.weight.detach().numpy().T, classifier.bias.detach().numpy()
        return ClassMaps(run(timm_model.forward_features), weight, bias)

    def see(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # As evaluate does: some heads have more than a classifier behind what they call pre-logits.
        timm_model = cast(Any, module)
        with torch.inference_mode():
            features = timm_model.forward_features(torch.from_numpy(images))
            seen = timm_model.forward_head(features, pre_logits=True)
            return timm_model.forward_head(features).numpy(), seen.numpy()

    return Runtime(run(module), see, open_maps, hide if network.spec.mask_padding else None)


def load_onnx(folder: Path) -> Runtime:
    """The network of student.onnx. Raises ExportError."""
    import onnxruntime

    from fieldguide.export.class_map import find_ending, find_prelogits
    from fieldguide.export.onnx_graph import read_onnx, reveal

    path = folder / ONNX_FILE
    if not path.is_file():
        raise ExportError(f"{path} is missing; expected a folder that export-tfjs wrote, as models/export")
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base of their own
        raise ExportError(f"{path} is damaged: {' '.join(str(error).split())}") from None

    def predict(images: np.ndarray) -> np.ndarray:
        logits: np.ndarray = session.run(["logits"], {"image": images})[0]
        return logits

    @cache
    def open_eyes() -> Callable[[np.ndarray], list[np.ndarray]]:
        prelogits = find_prelogits(read_onnx(path))
        if prelogits is None:
            raise ExportError(f"{path} does not end in one linear classifier; expected runtime torch")
        return reveal(path, prelogits)

    def see(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, prelogits = open_eyes()(images)
        return logits, prelogits.reshape(len(images), -1)

    def open_maps() -> ClassMaps:
        ending = find_ending(read_onnx(path))
        if ending is None:
            raise ExportError(f"{path}: {NO_MAP}")
        look = reveal(path, ending.features)
        return ClassMaps(lambda images: look(images)[1], ending.weight, ending.bias)

    return Runtime(predict, see, open_maps)


RUNTIMES: Final[Mapping[str, Callable[[Path], Runtime]]] = {"torch": load_torch, "onnx": load_onnx}


def choose_runtime(folder: Path) -> str:
    """`torch` where the weights are, else `onnx`."""
    return "torch" if (folder / WEIGHTS_FILES["torch"]).is_file() else "onnx"
