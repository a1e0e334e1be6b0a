"""Every ONNX operator that a student may use, against ONNX Runtime: in TensorFlow, and in TensorFlow.js in Node."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from fieldguide.engine import run_isolated
from fieldguide.errors import ExportError
from fieldguide.export.node import build_script, run_node, trace_needs
from tests.export.making import Outcome, run_everywhere, run_onnx, weights, write_onnx

pytestmark = pytest.mark.slow

CHANNELS = 4
BACKENDS = ("wasm", "cpu")


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


def write_chain(folder: Path, name: str, chain: Chain) -> tuple[Path, np.ndarray]:
    """The chain's network, and two images for it."""
    nodes = [
        helper.make_node(kind, inputs.split(), [output], **attributes) for kind, inputs, output, attributes in chain
    ]
    used = {name for node in nodes for name in node.input}
    constants = {name: value for name, value in CHAIN_CONSTANTS.items() if name in used}
    path = write_onnx(folder / f"{name.replace(' ', '_')}.onnx", nodes, constants, 9, CHANNELS)
    return path, np.random.default_rng(7).normal(scale=3, size=(2, 9, 9, CHANNELS)).astype(np.float32)


Written = dict[str, tuple[Path, np.ndarray]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operators")


@pytest.fixture(scope="module")
def written(root: Path) -> Written:
    networks = {name: write_case(root, name, case) for name, case in CASES.items()}
    networks |= {name: write_case(root, name, case, flat=True) for name, case in FLAT_CASES.items()}
    return networks | {name: write_chain(root, name, chain) for name, chain in CHAINS.items()}


@pytest.fixture(scope="module")
def outcome(root: Path, written: Written) -> Outcome:
    # One process for all of it: TensorFlow takes longer to load than to do this.
    refused = [write_case(root, name, case)[0] for name, (case, _) in REFUSED.items()]
    cases = []
    for name, (path, images) in written.items():
        out = root / name
        out.mkdir()
        cases.append((path, images, out))
    return run_isolated(run_everywhere, cases, refused)


@pytest.fixture(scope="module")
def by_tensorflow(written: Written, outcome: Outcome) -> dict[str, np.ndarray]:
    return dict(zip(written, outcome.answers, strict=True))


@pytest.fixture(scope="module")
def by_tensorflow_js(root: Path, written: Written, outcome: Outcome) -> dict[str, dict[str, Any]]:
    jobs = [
        {"name": name, "folder": str(root / name), "shape": images.shape, "image": images.ravel().tolist()}
        for name, (_, images) in written.items()
    ]
    (root / "jobs.json").write_text(json.dumps(jobs))
    # Both backends get what the traces say, as the page does, so a kernel that they miss is missed here.
    needs = trace_needs([root / name for name in written])
    build_script("../tests/export/run_models.mjs", root / "run.cjs", needs)
    run_node(root / "run.cjs", str(root / "jobs.json"), str(root / "answers.json"), *BACKENDS)
    answers: dict[str, dict[str, Any]] = json.loads((root / "answers.json").read_text())
    return answers


def test_every_operator_has_a_case(outcome: Outcome) -> None:
    tried = {case.operator for case in (*CASES.values(), *FLAT_CASES.values())}
    tried |= {operator for chain in CHAINS.values() for operator, *_ in chain}
    assert tried - {"Shape", "Transpose"} == outcome.operators


def test_a_change_of_names_is_no_transposition(root: Path, outcome: Outcome) -> None:
    nodes = json.loads((root / "channels last and back" / "model.json").read_text())["modelTopology"]["node"]
    # The one is the Flatten's that every case ends in.
    assert sum(node["op"] == "Transpose" for node in nodes) == 1


@pytest.mark.parametrize("name", [*CASES, *FLAT_CASES, *CHAINS])
def test_tensorflow_answers_as_onnx_runtime(name: str, written: Written, by_tensorflow: dict[str, np.ndarray]) -> None:
    path, images = written[name]
    np.testing.assert_allclose(by_tensorflow[name], run_onnx(path, images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", [*CASES, *FLAT_CASES, *CHAINS])
def test_tensorflow_js_answers_as_onnx_runtime(
    name: str, backend: str, written: Written, by_tensorflow_js: dict[str, dict[str, Any]]
) -> None:
    path, images = written[name]
    answer = by_tensorflow_js[name][backend]
    assert isinstance(answer, list), answer
    np.testing.assert_allclose(answer, run_onnx(path, images).ravel(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_expressed_is_named_with_what_is_allowed(name: str, outcome: Outcome) -> None:
    message = dict(zip(REFUSED, outcome.messages, strict=True))[name]
    assert REFUSED[name][1] in message
    assert "\n" not in message


def test_a_trace_names_what_a_model_uses_and_no_more(root: Path, outcome: Outcome) -> None:
    needs = trace_needs([root / "tanh"])
    assert "Tanh" in needs["kernels"]
    assert "tanh" in needs["functions"]
    assert not {"Conv2D", "FusedConv2D"} & set(needs["kernels"])
    both = trace_needs([root / "tanh", root / "conv valid"])
    assert all(set(needs[what]) <= set(both[what]) for what in needs)
    assert {"Conv2D", "FusedConv2D"} & set(both["kernels"])


def test_what_tensorflow_js_lacks_is_named(root: Path, outcome: Outcome, tmp_path: Path) -> None:
    model = (root / "tanh" / "model.json").read_text()
    (tmp_path / "model.json").write_text(model.replace('"op":"Tanh"', '"op":"Lgamma"'))
    for weights_file in (root / "tanh").glob("*.bin"):
        (tmp_path / weights_file.name).write_bytes(weights_file.read_bytes())
    with pytest.raises(ExportError, match=r"trace\.cjs failed: .*Lgamma"):
        trace_needs([tmp_path])
