"""Whether networks can be built, fed, augmented and exported, each tried once and remembered.

PyTorch and TensorFlow are asked in a process of their own each. What was found good is remembered by a digest of all
that it depends on, so that the next check takes no time.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from fieldguide.engine import run_isolated
from fieldguide.errors import FieldguideError
from fieldguide.files import file_sha256, written_whole
from fieldguide.learn.params import BackboneParams, FileWeights, HubWeights
from fieldguide.preflight.finding import Finding, note, problem
from fieldguide.preflight.setting import Setting

REMEMBERED = Path(".cache/checks")
CODE = ("learn", "export", "preflight")
"""Rooms whose code decides whether a network works."""
DECISIVE = {*BackboneParams.model_fields, "transforms", "optimizer", "layer_decay", "image_sizes"}
PACKAGES = ("torch", "torchvision", "timm", "onnx", "onnxscript", "tensorflow")


def check_networks(setting: Setting) -> Iterator[Finding]:
    """Architectures, sizes, weights and augmentations fit each other, and the student can run in a browser."""
    networks = {name: _buildable(network) for name, network in setting.networks()}
    if not networks:
        return
    side = setting.resize.size if setting.resize else 0
    key = _digest(networks, side)
    if (REMEMBERED / key).exists():
        yield note(f"{len(networks)} networks, found good before")
        return
    with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
        onnx_file = Path(folder) / "student.onnx"
        problems = run_isolated(_try_in_torch, networks, side, onnx_file)
        if onnx_file.exists():
            problems += run_isolated(_try_in_tensorflow, onnx_file)
    yield from (problem(text) for text in problems)
    if not problems:
        yield note(f"{len(networks)} networks can be built and fed, the student exported")
        with written_whole(REMEMBERED / key) as temporary:
            temporary.write_text("")


def _buildable(network: BackboneParams) -> BackboneParams:
    """The network, from random weights where its own are absent: another check tells of these."""
    weights = network.weights
    absent = isinstance(weights, HubWeights) or (isinstance(weights, FileWeights) and not weights.path.is_file())
    scratch = {"weights": {"from": "scratch"}}
    return type(network).model_validate(network.model_dump(mode="json") | scratch) if absent else network


def _try_in_torch(networks: dict[str, BackboneParams], side: int, onnx_file: Path) -> list[str]:
    from fieldguide.preflight.building import try_networks

    return try_networks(networks, side, onnx_file)


def _try_in_tensorflow(onnx_file: Path) -> list[str]:
    """What of the graph has no conversion: nothing in most cases."""
    from fieldguide.export.graph import Network
    from fieldguide.export.onnx_graph import read_onnx

    try:
        Network(read_onnx(onnx_file)).answer.get_concrete_function()
    except FieldguideError as error:
        return [f"distill_student cannot be exported: {str(error).removeprefix(f'{onnx_file}: ')}"]
    return []


def _digest(networks: Mapping[str, BackboneParams], side: int) -> str:
    """Of all that decides whether these networks work; how long they are trained does not."""
    root = Path(__file__).parent.parent
    known = {
        "networks": {name: network.model_dump(mode="json", include=DECISIVE) for name, network in networks.items()},
        "weights": {
            name: file_sha256(network.weights.path)
            for name, network in networks.items()
            if isinstance(network.weights, FileWeights)
        },
        "side": side,
        "code": [file_sha256(file) for room in CODE for file in sorted((root / room).glob("*.py"))],
        "packages": {name: version(name) for name in PACKAGES},
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
