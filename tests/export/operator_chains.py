"""Several ONNX operators one after the other, which TensorFlow.js's converter would take for something else."""

from pathlib import Path
from typing import Any

import numpy as np
from onnx import helper

from tests.export.making import weights, write_onnx
from tests.export.operator_cases import CHANNELS, ints, scalar

Chain = tuple[tuple[str, str, str, dict[str, Any]], ...]
"""Nodes: operator, inputs and output by name, attributes."""

BARE = ("Conv", "image kernel", "x", {})
ALONG = ("Conv", "image along", "x", {"group": 4})

CHAINS: dict[str, Chain] = {
    **{
        f"{name} after {'a depthwise' if first is ALONG else 'a'} convolution without bias": (first, *then)
        for first in (BARE, ALONG)
        for name, then in {
            "hard sigmoid": (("HardSigmoid", "x", "y", {}),),
            "hard swish": (("HardSwish", "x", "y", {}),),
            "add scalar": (("Add", "x three", "y", {}),),
            "add by pixel": (("Add", "pixels x", "y", {}),),
            "sub scalar": (("Sub", "x three", "y", {}),),
            "residual": (("Conv", "image kernel2", "x2", {}), ("Add", "x x2", "y", {})),
            "residual of the image": (("Add", "x image", "y", {}),),
            "residual after an untrained normalisation": (
                ("BatchNormalization", "x ones zeros zeros ones", "n", {"epsilon": 0.0}),
                ("Add", "n image", "y", {}),
            ),
            "squeeze and excite": (
                ("GlobalAveragePool", "x", "g", {}),
                ("Conv", "g kernel", "s", {}),
                ("Add", "x s", "y", {}),
            ),
        }.items()
    },
    "square root": (("Mul", "image image", "s", {}), ("Sqrt", "s", "y", {})),
    "matrices that meet": (
        ("Transpose", "image", "t", {"perm": [0, 1, 3, 2]}),
        ("MatMul", "image t", "m", {}),
        ("Softmax", "m", "y", {}),
    ),
    "channels last and back": (
        ("Conv", "image kernel", "x", {}),
        ("Transpose", "x", "t", {"perm": [0, 2, 3, 1]}),
        ("LayerNormalization", "t four", "n", {}),
        ("Transpose", "n", "b", {"perm": [0, 3, 1, 2]}),
        ("Add", "b x", "y", {}),
    ),
    "heads out of a fifth axis": (
        ("Reshape", "image fifth", "r", {}),
        ("Transpose", "r", "t", {"perm": [2, 0, 1, 3, 4]}),
        ("Gather", "t one", "h", {"axis": 0}),
        ("MatMul", "h square", "y", {}),
    ),
    "a token in front of the pixels": (
        ("Shape", "image", "batch", {"end": 1}),
        ("Concat", "batch rest", "sizes", {"axis": 0}),
        ("Expand", "token sizes", "tokens", {}),
        ("Reshape", "image flattened", "pixels81", {}),
        ("Concat", "tokens pixels81", "y", {"axis": 2}),
    ),
    "add row after matmul": (
        ("ReduceMean", "image axes", "flat", {"keepdims": 0}),
        ("MatMul", "flat matrix", "m", {}),
        ("Add", "m row", "y", {}),
    ),
}
"""What TensorFlow.js's converter would take for a bias."""

CHAIN_CONSTANTS = {
    "kernel": weights(4, 4, 1, 1),
    "kernel2": weights(4, 4, 1, 1, seed=1),
    "along": weights(4, 1, 1, 1),
    "three": scalar(3),
    "pixels": weights(9, 9),
    "ones": np.ones(4, np.float32),
    "zeros": np.zeros(4, np.float32),
    "axes": ints(2, 3),
    "four": weights(4),
    "fifth": ints(-1, 2, 2, 9, 9),
    "one": ints(1)[0],
    "square": weights(9, 9),
    "rest": ints(4, 1),
    "token": weights(1, 4, 1),
    "flattened": ints(0, 4, -1),
    "matrix": weights(4, 5),
    "row": weights(1, 5),
}


def write_chain(folder: Path, name: str, chain: Chain) -> tuple[Path, np.ndarray]:
    """The chain's network, and two images for it."""
    nodes = [
        helper.make_node(kind, inputs.split(), [output], **attributes) for kind, inputs, output, attributes in chain
    ]
    used = {name for node in nodes for name in node.input}
    constants = {name: value for name, value in CHAIN_CONSTANTS.items() if name in used}
    path = write_onnx(folder / f"{name.replace(' ', '_')}.onnx", nodes, constants, 9, CHANNELS)
    return path, np.random.default_rng(7).normal(scale=3, size=(2, 9, 9, CHANNELS)).astype(np.float32)
