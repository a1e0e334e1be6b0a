"""Which part of a network maps its answers onto the photo: the mean of a feature map, and one linear classifier.

Of a network that ends so, logit k is the sum over all places of `features[place] @ weight[:, k] / num_places`, plus a
bias: what each place adds is its class activation map (Zhou et al., CVPR 2016), and exact. Whether a network does is
seen in its exported graph; where anything else stands between the two (mobilenetv3's conv_head, a norm, attention),
there is no such map, and none is offered.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from fieldguide.export.onnx_graph import Node, OnnxGraph, read_onnx
from fieldguide.files import write_json

EXPLANATION_FILE: Final = "explain.json"

RESHAPING: Final = ("Reshape", "Flatten", "Squeeze", "Identity")
"""Operators between the mean and the classifier that leave every number as it is."""


@dataclass(frozen=True)
class Ending:
    """The end of a network that maps its answers."""

    features: str
    """The ONNX tensor [batch, dim, height, width] before the mean."""
    weight: np.ndarray
    """float32 [dim, num_outputs]."""
    bias: np.ndarray
    """float32 [num_outputs]."""


def find_ending(graph: OnnxGraph) -> Ending | None:
    """The end of `graph` if its logits are a linear function of the mean over a feature map's places, else None."""
    made_by = {output: node for node in graph.nodes for output in node.outputs}
    classifier = _read_classifier(graph, made_by)
    if classifier is None:
        return None
    tensor, weight, bias = classifier
    while (node := made_by.get(tensor)) and node.operator in RESHAPING:
        tensor = node.inputs[0]
    if node is None or not _is_mean_over_places(node, graph.constants):
        return None
    return Ending(node.inputs[0], weight.astype(np.float32), bias.astype(np.float32))


def find_prelogits(graph: OnnxGraph) -> str | None:
    """The ONNX tensor that the last linear classifier sees; None where the logits are made otherwise."""
    classifier = _read_classifier(graph, {output: node for node in graph.nodes for output in node.outputs})
    return classifier[0] if classifier else None


def write_explanation(bundle: Path, onnx_file: Path) -> None:
    """Write explain.json for the page, of a network that has a class activation map; of any other write nothing.

    It names in model.json the node of the feature map [batch, height, width, dim] (`features`), and the weights of the
    classifier, `weight` [dim, num_outputs] and `bias` [num_outputs] or null.
    """
    topology = json.loads((bundle / "model.json").read_bytes())
    if find_ending(read_onnx(onnx_file)) and (found := find_in_tensorflow(topology)):
        write_json(bundle / EXPLANATION_FILE, found)


def _read_classifier(graph: OnnxGraph, made_by: Mapping[str, Node]) -> tuple[str, np.ndarray, np.ndarray] | None:
    """What the classifier sees (a tensor's name), its weight [dim, num_outputs] and its bias [num_outputs]."""
    node, bias = made_by.get(graph.output_name), np.zeros(1, np.float32)
    if node and node.operator == "Add" and node.inputs[1] in graph.constants:
        bias, node = graph.constants[node.inputs[1]], made_by.get(node.inputs[0])
    if node is None or node.operator not in ("Gemm", "MatMul") or node.inputs[1] not in graph.constants:
        return None
    weight = graph.constants[node.inputs[1]]
    if node.operator == "Gemm":
        scales = {name: node.attributes.get(name, 1.0) for name in ("alpha", "beta")}
        if node.attributes.get("transA", 0):
            return None
        weight = (weight.T if node.attributes.get("transB", 0) else weight) * scales["alpha"]
        if len(node.inputs) > 2 and node.inputs[2]:
            if node.inputs[2] not in graph.constants:
                return None
            bias = bias + graph.constants[node.inputs[2]] * scales["beta"]
    return (node.inputs[0], weight, np.broadcast_to(bias.reshape(-1), weight.shape[1:])) if weight.ndim == 2 else None


def _is_mean_over_places(node: Node, constants: Mapping[str, np.ndarray]) -> bool:
    if node.operator == "GlobalAveragePool":
        return True
    if node.operator != "ReduceMean":
        return False
    axes = constants.get(node.inputs[1]) if len(node.inputs) > 1 else node.attributes.get("axes")
    return axes is not None and sorted(int(axis) % 4 for axis in axes) == [2, 3]


def find_in_tensorflow(model: Mapping[str, Any]) -> dict[str, str | None] | None:
    """The same end in a model.json."""
    named, classifier = _by_name(model), find_tensorflow_classifier(model)
    if classifier is None:
        return None
    node = named(classifier["prelogits"] or "")
    while node["op"] in (*RESHAPING, "ExpandDims"):
        node = named(node["input"][0])
    if node["op"] != "Mean":
        return None
    return {"features": named(node["input"][0])["name"], "weight": classifier["weight"], "bias": classifier["bias"]}


def _by_name(model: Mapping[str, Any]) -> Callable[[str], dict[str, Any]]:
    nodes = {node["name"]: node for node in model["modelTopology"]["node"]}
    return lambda tensor: nodes[tensor.removesuffix(":0")]


def read_prelogits(bundle: Path) -> str | None:
    """The node of a bundle's model.json that its last linear classifier sees; None where logits are made otherwise."""
    classifier = find_tensorflow_classifier(json.loads((bundle / "model.json").read_bytes()))
    return classifier["prelogits"] if classifier else None


def find_tensorflow_classifier(model: Mapping[str, Any]) -> dict[str, str | None] | None:
    """The last linear classifier of a model.json: the nodes that it sees (`prelogits`), its `weight` and its `bias`.

    The converter folds a bias into its product. None where the logits are made otherwise.
    """
    named = _by_name(model)
    (output,) = model["signature"]["outputs"].values()
    node, bias = named(output["name"]), None
    while node["op"] == "Identity":
        node = named(node["input"][0])
    if node["op"] in ("BiasAdd", "AddV2"):
        bias, node = named(node["input"][1])["name"], named(node["input"][0])
    if node["op"] not in ("MatMul", "_FusedMatMul") or node["attr"].get("transpose_b", {}).get("b"):
        return None
    x, weight, *folded = node["input"]
    bias = named(folded[0])["name"] if folded else bias
    return {"prelogits": named(x)["name"], "weight": named(weight)["name"], "bias": bias}
