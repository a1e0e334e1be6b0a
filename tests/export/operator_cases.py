"""One ONNX operator each: what the student may use, in every way it may, and what is refused."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from onnx import helper

from tests.export.making import weights, write_onnx

CHANNELS = 4


@dataclass(frozen=True)
class Case:
    """One node between image and output; its inputs after the image are constants."""

    operator: str
    constants: tuple[np.ndarray | None, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    side: int = 9
    num_outputs: int = 1


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def scalar(value: float) -> np.ndarray:
    return np.array(value, np.float32)


def scalar_list(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def conv(kernel: tuple[int, ...], *, bias: bool = True, side: int = 9, **attributes: Any) -> Case:
    constants = (weights(*kernel), weights(kernel[0])) if bias else (weights(*kernel),)
    return Case("Conv", constants, attributes, side)


ASYMMETRIC = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
POOL = {"kernel_shape": [3, 3], "strides": [2, 2]}
STATISTICS = (weights(4), weights(4, seed=1), weights(4, seed=2), np.abs(weights(4, seed=3)) + 0.5)

CASES = {
    "conv valid": conv((6, 4, 3, 3)),
    "conv same": conv((6, 4, 3, 3), pads=[1, 1, 1, 1]),
    "conv strided, even side": conv((6, 4, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2], side=10),
    "conv strided, odd side": conv((6, 4, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2]),
    "conv asymmetric pads": conv((6, 4, 3, 3), pads=[0, 1, 2, 3], strides=[2, 2]),
    "conv 5 x 3 kernel": conv((6, 4, 5, 3), pads=[2, 1, 2, 1]),
    "conv unequal strides": conv((6, 4, 3, 3), strides=[2, 1]),
    "conv without bias": conv((6, 4, 1, 1), bias=False),
    "conv auto_pad same upper": conv((6, 4, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2], side=10),
    "conv auto_pad same lower": conv((6, 4, 3, 3), auto_pad="SAME_LOWER", strides=[2, 2], side=10),
    "conv auto_pad valid": conv((6, 4, 3, 3), auto_pad="VALID"),
    "conv dilated": conv((6, 4, 3, 3), pads=[2, 2, 2, 2], dilations=[2, 2]),
    "conv depthwise": conv((4, 1, 3, 3), group=4, pads=[1, 1, 1, 1]),
    "conv depthwise strided, asymmetric": conv((4, 1, 3, 3), group=4, pads=[0, 0, 1, 1], strides=[2, 2], side=10),
    "conv depthwise, two outputs a channel": conv((8, 1, 3, 3), group=4, pads=[1, 1, 1, 1]),
    "conv depthwise dilated": conv((4, 1, 3, 3), group=4, pads=[2, 2, 2, 2], dilations=[2, 2]),
    "conv grouped": conv((6, 2, 3, 3), group=2, pads=[1, 1, 1, 1], strides=[2, 2]),
    "batch normalization": Case("BatchNormalization", STATISTICS, {"epsilon": 1e-3}),
    "max pool": Case("MaxPool", (), POOL),
    "max pool padded": Case("MaxPool", (), {**POOL, "pads": [1, 1, 1, 1]}, 10),
    "max pool ceil": Case("MaxPool", (), {**POOL, "ceil_mode": 1}, 10),
    "average pool": Case("AveragePool", (), POOL),
    "average pool padded": Case("AveragePool", (), {**POOL, "pads": [1, 1, 1, 1]}, 10),
    "average pool padding counted": Case("AveragePool", (), {**POOL, "pads": [1, 1, 1, 1], "count_include_pad": 1}, 10),
    "average pool ceil": Case("AveragePool", (), {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
    "global average pool": Case("GlobalAveragePool"),
    "mean of pixels": Case("ReduceMean", (ints(2, 3),), {"keepdims": 0}),
    "mean of pixels kept": Case("ReduceMean", (ints(-1, -2),), {"keepdims": 1}),
    "mean of rows": Case("ReduceMean", (ints(2),), {"keepdims": 0}),
    "sum of pixels": Case("ReduceSum", (ints(2, 3),), {"keepdims": 1}),
    "norm of channels": Case("ReduceL2", (ints(1),), {"keepdims": 1}),
    "mean of channels": Case("ReduceMean", (ints(1),), {"keepdims": 1}),
    "add bias by channel": Case("Add", (weights(1, 4, 1, 1),)),
    "sub by column": Case("Sub", (weights(9),)),
    "mul by pixel": Case("Mul", (weights(9, 9),)),
    "div by channel": Case("Div", (np.abs(weights(4, 1, 1)) + 1,)),
    "relu": Case("Relu"),
    "relu6": Case("Clip", (scalar(0), scalar(6))),
    "clip below": Case("Clip", (scalar(-0.5),)),
    "clip above": Case("Clip", (None, scalar(0.5))),
    "clip both": Case("Clip", (scalar(-0.3), scalar(0.4))),
    "leaky relu": Case("LeakyRelu", (), {"alpha": 0.1}),
    "prelu": Case("PRelu", (weights(4, 1, 1),)),
    "sigmoid": Case("Sigmoid"),
    "tanh": Case("Tanh"),
    "gelu": Case("Gelu"),
    "gelu by tanh": Case("Gelu", (), {"approximate": "tanh"}),
    "exp": Case("Exp"),
    "erf": Case("Erf"),
    "hard sigmoid": Case("HardSigmoid", (), {"alpha": 1 / 6, "beta": 0.5}),
    "hard swish": Case("HardSwish"),
    "identity": Case("Identity"),
    "dropout": Case("Dropout"),
    "flatten": Case("Flatten", (), {"axis": 1}),
    "reshape to vector": Case("Reshape", (ints(-1, 324),)),
    "reshape to image": Case("Reshape", (ints(0, 12, 9, 3),)),
    "squeeze": Case("Squeeze", (ints(2, 3),), {}, 1),
    "concat": Case("Concat", (), {"axis": 1}),
    "slice channels": Case("Slice", (ints(1), ints(3), ints(1))),
    "slice pixels": Case("Slice", (ints(1, 0), ints(8, 9), ints(2, 3), ints(2, 3))),
    "split": Case("Split", (ints(1, 3),), {"axis": 1}, num_outputs=2),
    "split evenly": Case("Split", (), {"axis": 1, "num_outputs": 2}, num_outputs=2),
    "softmax of columns": Case("Softmax", (), {"axis": -1}),
    "softmax of channels": Case("Softmax", (), {"axis": 1}),
    "layer normalization": Case("LayerNormalization", (weights(9), weights(9, seed=1)), {"axis": -1}),
    "gather one channel": Case("Gather", (ints(2)[0],), {"axis": 1}),
    "gather rows": Case("Gather", (ints(3, -1),), {"axis": 2}),
    "expand a column": Case("Expand", (ints(1, 4, 9, 9),)),
    "unsqueeze": Case("Unsqueeze", (ints(1),)),
    "resize nearest": Case("Resize", (None, scalar_list(1, 1, 2, 2)), ASYMMETRIC),
    "resize to a size": Case("Resize", (None, None, ints(2, 4, 18, 27)), ASYMMETRIC),
    "resize linear": Case("Resize", (None, scalar_list(1, 1, 2, 2)), {"mode": "linear"}),
    "matmul of an image's rows": Case("MatMul", (weights(9, 5),)),
    "pad": Case("Pad", (ints(0, 0, 1, 2, 0, 0, 3, 0), scalar(0.7))),
}

FLAT_CASES = {
    "gemm": Case("Gemm", (weights(4, 5), weights(5))),
    "gemm transposed": Case("Gemm", (weights(5, 4), weights(5)), {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    "gemm without bias": Case("Gemm", (weights(4, 5),)),
    "matmul": Case("MatMul", (weights(4, 5),)),
}
"""After a global average: rank 2."""

REFUSED = {
    "strided and dilated": (conv((6, 4, 3, 3), strides=[2, 2], dilations=[2, 2], side=12), "allowed is one of them"),
    "depthwise, unequal strides": (conv((4, 1, 3, 3), group=4, strides=[2, 1]), "allowed are equal ones"),
    "batch folded away": (Case("Reshape", (ints(2, -1),)), "the first size must be 0 or -1"),
    "resize that sharpens": (Case("Resize", (None, scalar_list(1, 1, 2, 2)), {"mode": "cubic"}), "allowed are nearest"),
    "a batch normalised by layer": (Case("LayerNormalization", (weights(9, 9),), {"axis": 2}), "the last axis alone"),
    "reflecting pad": (Case("Pad", (ints(0, 0, 1, 1, 0, 0, 1, 1),), {"mode": "reflect"}), "allowed is constant"),
    "unknown operator": (Case("Elu"), "no conversion for Elu; the student may use Add, AveragePool"),
}


def write_case(folder: Path, name: str, case: Case, flat: bool = False) -> tuple[Path, np.ndarray]:
    """The case's network, and two images for it."""
    constants = {f"c{i}": value for i, value in enumerate(case.constants) if value is not None}
    names = [f"c{i}" if value is not None else "" for i, value in enumerate(case.constants)]
    first = [helper.make_node("ReduceMean", ["image", "axes"], ["flat"], keepdims=0)] if flat else []
    source = "flat" if flat else "image"
    names = [source, *names] if case.operator != "Concat" else [source, source]
    outputs = [f"y{i}" for i in range(case.num_outputs)]
    nodes = [*first, helper.make_node(case.operator, names, outputs, **case.attributes)]
    if flat:
        constants["axes"] = ints(2, 3)
    path = write_onnx(folder / f"{name.replace(' ', '_')}.onnx", nodes, constants, case.side, CHANNELS)
    images = np.random.default_rng(7).normal(scale=3, size=(2, case.side, case.side, CHANNELS)).astype(np.float32)
    return path, images
