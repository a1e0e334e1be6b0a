"""An ONNX network as a TensorFlow module in NHWC, the layout that TensorFlow and the browser are fast in.

Images are kept as [batch, height, width, channels], the matrices of attention as ONNX has them (layout.py). So a
network of convolutions needs no transposition between its input and its classifier.
"""

from typing import Any, cast

import numpy as np

from fieldguide.errors import ExportError
from fieldguide.export.layout import Picture, UnsupportedError, Value
from fieldguide.export.onnx_graph import Node, OnnxGraph, evaluate_node
from fieldguide.export.operators import OPERATORS, transpose
from fieldguide.records.quiet_tensorflow import tf

INPUT, OUTPUT = "image", "logits"
"""Names in the SavedModel's signature and in model.json."""


class Network(tf.Module):
    """The network as one traced function, `answer`: float32 [batch, height, width, 3] -> {"logits": [batch, classes]}.

    Weights are constants of the graph, not variables: the files then depend on nothing but the network.
    """

    def __init__(self, graph: OnnxGraph) -> None:
        super().__init__()
        channels, height, width = graph.input_shape
        signature = tf.TensorSpec([None, height, width, channels], tf.float32, INPUT)
        self.answer = tf.function(
            lambda image: {OUTPUT: run_graph(graph, image)}, input_signature=[signature], autograph=False
        )


def check_operators(graph: OnnxGraph) -> None:
    """Refuse a graph of which an operator has no conversion. Raises ExportError naming it, and those that have."""
    known, unknown = set(graph.constants), set()
    for node in graph.nodes:
        if node.operator == "Shape" or known.issuperset(filter(None, node.inputs)):
            known.update(node.outputs)
        elif node.operator not in OPERATORS and node.operator != "Transpose":
            unknown.add(node.operator)
    if unknown:
        allowed = sorted({*OPERATORS, "Shape", "Transpose"})
        raise ExportError(
            f"{graph.file}: no conversion for {', '.join(sorted(unknown))}; the student may use {', '.join(allowed)}"
        )


def run_graph(graph: OnnxGraph, image: tf.Tensor) -> tf.Tensor:
    """The output of `graph` for NHWC images. Raises ExportError naming the node that cannot be expressed."""
    check_operators(graph)
    values: dict[str, Value | Picture] = {**graph.constants, graph.input_name: Picture(nhwc=image)}
    for node in graph.nodes:
        inputs = [values[name] if name else None for name in node.inputs]
        try:
            with tf.name_scope(scope_name(node.outputs[0])):
                results = _run_node(node, inputs)
        except UnsupportedError as error:
            raise ExportError(f"{graph.file}: {node.operator} '{node.outputs[0]}': {error}") from None
        values.update(zip(node.outputs, results, strict=False))
    output = values[graph.output_name]
    if not isinstance(output, tf.Tensor) or output.shape.rank != 2:
        raise ExportError(f"{graph.file}: the output '{graph.output_name}' is no table; expected [batch, classes]")
    return output


def _run_node(node: Node, inputs: list[Value | Picture]) -> list[Value | Picture]:
    if node.operator == "Shape":
        return [_shape(inputs[0], node.attributes)]
    if not any(isinstance(value, tf.Tensor | Picture) for value in inputs):
        return list(evaluate_node(node, cast(list[np.ndarray | None], inputs)))
    if node.operator == "Transpose":
        return [transpose(inputs[0], node.attributes["perm"])]
    return OPERATORS[node.operator](inputs, node.attributes)


def _shape(value: Value | Picture, attributes: dict[str, Any]) -> np.ndarray:
    """ONNX's Shape, as if there were one image.

    All that is made from it alone (class tokens, places of pixels) is then a constant for one image, which holds for
    any number by broadcasting.
    """
    sizes = value.onnx.shape if isinstance(value, Picture) else value.shape
    known = np.array([1 if size is None else size for size in sizes], np.int64)
    return known[attributes.get("start", 0) : attributes.get("end")]


def scope_name(name: str) -> str:
    """An ONNX name as TensorFlow allows it: letters, digits, `_`, starting with a letter."""
    return "n_" + "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
