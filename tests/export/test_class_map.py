"""Which exported graphs have a class activation map, and what explain.json says of one that has."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldguide.export.class_map import find_ending, find_in_tensorflow
from fieldguide.export.onnx_graph import Node, OnnxGraph
from tests.export.exporting import export_once

WEIGHT = np.arange(12, dtype=np.float32).reshape(3, 4)
"""[num_outputs, dim], as Gemm has it with transB."""
BIAS = np.array([1, 2, 3], np.float32)
CONSTANTS = {
    "weight": WEIGHT,
    "turned": WEIGHT.T,
    "bias": BIAS,
    "places": np.array([2, 3]),
    "places from behind": np.array([-1, -2]),
    "tokens": np.array([1]),
    "shape": np.array([-1, 4]),
    "filter": np.ones((4, 4, 1, 1), np.float32),
}

POOL = Node("GlobalAveragePool", ("map",), ("pooled",))
MEAN = Node("ReduceMean", ("map", "places"), ("pooled",), {"keepdims": 1})
FLATTEN = Node("Flatten", ("pooled",), ("flat",))
GEMM = Node("Gemm", ("flat", "weight", "bias"), ("logits",), {"transB": 1})
PRODUCT = Node("MatMul", ("flat", "turned"), ("product",))
SUM = Node("Add", ("product", "bias"), ("logits",))


def graph(*nodes: Node) -> OnnxGraph:
    first = Node("Conv", ("image", "filter"), ("map",))
    return OnnxGraph(Path("student.onnx"), "image", (4, 8, 8), "logits", (first, *nodes), CONSTANTS)


@pytest.mark.parametrize(
    ("nodes", "bias"),
    [
        pytest.param([POOL, FLATTEN, GEMM], BIAS, id="pool and Gemm"),
        pytest.param([MEAN, FLATTEN, PRODUCT, SUM], BIAS, id="mean, product and sum"),
        pytest.param([MEAN, FLATTEN, replace(PRODUCT, outputs=("logits",))], 0 * BIAS, id="no bias"),
        pytest.param(
            [
                Node("ReduceMean", ("map",), ("pooled",), {"axes": [-2, -1], "keepdims": 0}),
                Node("Identity", ("pooled",), ("same",)),
                replace(GEMM, inputs=("same", "weight")),
            ],
            0 * BIAS,
            id="axes as an attribute, counted from behind",
        ),
        pytest.param(
            [
                replace(MEAN, inputs=("map", "places from behind")),
                Node("Squeeze", ("pooled",), ("narrow",)),
                Node("Reshape", ("narrow", "shape"), ("flat",)),
                GEMM,
            ],
            BIAS,
            id="reshaped twice",
        ),
    ],
)
def test_a_mean_and_a_linear_classifier_have_a_map(nodes: list[Node], bias: np.ndarray) -> None:
    found = find_ending(graph(*nodes))
    assert found is not None
    assert found.features == "map"
    assert np.array_equal(found.weight, WEIGHT.T)
    assert np.array_equal(found.bias, bias)


def test_scales_of_a_gemm_are_in_its_weights() -> None:
    found = find_ending(graph(POOL, FLATTEN, replace(GEMM, attributes={"transB": 1, "alpha": 2.0, "beta": 3.0})))
    assert found is not None
    assert np.array_equal(found.weight, 2 * WEIGHT.T)
    assert np.array_equal(found.bias, 3 * BIAS)


@pytest.mark.parametrize(
    "nodes",
    [
        pytest.param(
            [
                POOL,
                Node("Conv", ("pooled", "filter"), ("headed",)),
                Node("HardSwish", ("headed",), ("active",)),
                replace(FLATTEN, inputs=("active",)),
                GEMM,
            ],
            id="conv_head behind the pool, as in mobilenetv3",
        ),
        pytest.param(
            [POOL, Node("LayerNormalization", ("pooled", "bias"), ("flat",)), GEMM], id="a norm, as in convnext"
        ),
        pytest.param([replace(MEAN, inputs=("map", "tokens")), FLATTEN, GEMM], id="a mean over tokens"),
        pytest.param([Node("ReduceMean", ("map",), ("pooled",)), FLATTEN, GEMM], id="a mean over everything"),
        pytest.param([Node("MaxPool", ("map",), ("pooled",)), FLATTEN, GEMM], id="a maximum"),
        pytest.param([replace(FLATTEN, inputs=("map",)), GEMM], id="no pool"),
        pytest.param([POOL, FLATTEN, replace(GEMM, inputs=("flat", "image"))], id="a computed weight"),
        pytest.param(
            [POOL, FLATTEN, GEMM, Node("Relu", ("logits",), ("logits",))], id="something behind the classifier"
        ),
    ],
)
def test_anything_between_has_none(nodes: list[Node]) -> None:
    assert find_ending(graph(*nodes)) is None


def converted(*nodes: tuple[str, str, list[str]], **attributes: Any) -> dict[str, Any]:
    """A model.json of nodes (name, op, inputs), the last of which is the output; constants are of no node."""
    constants = [{"name": name, "op": "Const"} for name in ("axes", "shape", "weight", "bias")]
    made = [{"name": name, "op": op, "input": inputs, "attr": attributes} for name, op, inputs in nodes]
    outputs = {"logits": {"name": f"{nodes[-1][0]}:0"}}
    return {
        "modelTopology": {"node": [{"name": "map", "op": "Conv2D"}, *constants, *made]},
        "signature": {"outputs": outputs},
    }


POOLED = (("pooled", "Mean", ["map", "axes"]), ("flat", "Reshape", ["pooled", "shape"]))


@pytest.mark.parametrize(
    ("model", "bias"),
    [
        (converted(*POOLED, ("answer", "_FusedMatMul", ["flat", "weight", "bias"])), "bias"),
        (converted(*POOLED, ("product", "MatMul", ["flat", "weight"]), ("sum", "AddV2", ["product", "bias"])), "bias"),
        (converted(*POOLED, ("product", "MatMul", ["flat:0", "weight"]), ("same", "Identity", ["product"])), None),
    ],
)
def test_the_converter_may_fold_the_bias(model: dict[str, Any], bias: str | None) -> None:
    assert find_in_tensorflow(model) == {"features": "map", "weight": "weight", "bias": bias}


@pytest.mark.parametrize(
    "model",
    [
        converted(("flat", "Reshape", ["map", "shape"]), ("answer", "MatMul", ["flat", "weight"])),
        converted(*POOLED, ("answer", "MatMul", ["flat", "weight"]), ("end", "Relu", ["answer"])),
        converted(*POOLED, ("answer", "MatMul", ["flat", "weight"]), transpose_b={"b": True}),
    ],
)
def test_what_the_converter_made_something_else_of_has_no_map(model: dict[str, Any]) -> None:
    assert find_in_tensorflow(model) is None


@pytest.mark.slow
def test_the_bundle_names_nodes_of_its_model(tmp_path_factory: pytest.TempPathFactory) -> None:
    bundle = export_once(tmp_path_factory.getbasetemp() / "export")[0]["bundle"]
    named = json.loads((bundle / "explain.json").read_text())
    model: dict[str, Any] = json.loads((bundle / "model.json").read_text())
    weights = {each["name"]: each["shape"] for group in model["weightsManifest"] for each in group["weights"]}
    assert named["features"] in {node["name"] for node in model["modelTopology"]["node"]}
    assert weights[named["weight"]] == [1280, 8]
    assert named["bias"] is None  # an untrained one is nought, and the converter drops it
    assert "explain.json" in json.loads((bundle / "bundle.json").read_text())["files"]
