"""An ONNX network as a TensorFlow module in NHWC, the layout that TensorFlow and the browser are fast in.

Every tensor of rank 4 is kept as [batch, height, width, channels]; all others as ONNX has them. So a network of
convolutions needs no transposition between its input and its classifier.
"""

import numpy as np

from fieldguide.errors import ExportError
from fieldguide.export.layout import UnsupportedError, Value
from fieldguide.export.onnx_graph import OnnxGraph
from fieldguide.export.operators import OPERATORS
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
    unknown = sorted({node.operator for node in graph.nodes} - set(OPERATORS))
    if unknown:
        raise ExportError(
            f"{graph.file}: no conversion for {', '.join(unknown)}; the student may use {', '.join(sorted(OPERATORS))}"
        )


def run_graph(graph: OnnxGraph, image: tf.Tensor) -> tf.Tensor:
    """The output of `graph` for NHWC images. Raises ExportError naming the node that cannot be expressed."""
    check_operators(graph)
    values: dict[str, Value] = {**graph.constants, graph.input_name: image}
    for node in graph.nodes:
        inputs = [values[name] if name else None for name in node.inputs]
        try:
            with tf.name_scope(scope_name(node.outputs[0])):
                results = OPERATORS[node.operator](inputs, node.attributes)
        except UnsupportedError as error:
            raise ExportError(f"{graph.file}: {node.operator} '{node.outputs[0]}': {error}") from None
        values.update(zip(node.outputs, results, strict=False))
    output = values[graph.output_name]
    if isinstance(output, np.ndarray) or output.shape.rank != 2:
        raise ExportError(f"{graph.file}: the output has shape {list(output.shape)}; expected [batch, classes]")
    return output


def scope_name(name: str) -> str:
    """An ONNX name as TensorFlow allows it: letters, digits, `_`, starting with a letter."""
    return "n_" + "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
