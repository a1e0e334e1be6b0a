"""An ONNX file as plain nodes and NumPy constants, so that nothing after this knows protobuf."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from onnx.reference import ReferenceEvaluator

from fieldguide.errors import ExportError
from fieldguide.files import written_whole


@dataclass(frozen=True)
class Node:
    """One operation; an omitted optional input is the empty string."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OnnxGraph:
    """Nodes in an order in which they can run. The one input is float32 [batch, channels, height, width]."""

    file: Path
    input_name: str
    input_shape: tuple[int, int, int]
    """Channels, height, width."""
    output_name: str
    nodes: tuple[Node, ...]
    constants: dict[str, np.ndarray]


OPSET = 20
"""Of which the operators are read; learn/onnx_export.py writes it or an older one that means the same."""
IR_VERSION = 9
"""Of the format that came with this opset."""


def evaluate_node(node: Node, inputs: Sequence[np.ndarray | None]) -> Sequence[np.ndarray]:
    """The outputs of a node that needs nothing but constants, by ONNX's reference implementation."""
    proto = onnx.helper.make_node(node.operator, node.inputs, node.outputs, **node.attributes)
    given = {name: value for name, value in zip(node.inputs, inputs, strict=True) if name}
    return [np.asarray(value) for value in ReferenceEvaluator(proto, opsets={"": OPSET}).run(None, given)]


def reveal(file: Path, tensor: str) -> Callable[[np.ndarray], list[np.ndarray]]:
    """What gives the logits of images float32 [n, 3, S, S], and beside them a tensor within the network."""
    model = onnx.load(file)
    model.graph.output.append(onnx.ValueInfoProto(name=tensor))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda images: [np.asarray(found) for found in session.run(["logits", tensor], {"image": images})]


def run_nodes(
    graph: OnnxGraph,
    nodes: Sequence[Node],
    constants: Mapping[str, np.ndarray],
    given: Mapping[str, np.ndarray],
    wanted: Sequence[str],
) -> dict[str, np.ndarray]:
    """The tensors `wanted` of `nodes`, a part of `graph`, by name, from the tensors `given` and other `constants`.

    On one thread: the same sums, however many cores there are.
    """
    taken = list(dict.fromkeys(name for node in nodes for name in node.inputs if name))
    part = onnx.helper.make_graph(
        [onnx.helper.make_node(node.operator, node.inputs, node.outputs, **node.attributes) for node in nodes],
        "part",
        [_describe(name, given[name]) for name in taken if name in given],
        [onnx.ValueInfoProto(name=name) for name in wanted],
        [onnx.numpy_helper.from_array(constants[name], name) for name in taken if name in constants],
    )
    model = onnx.helper.make_model(part, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = session.run(list(wanted), {name: given[name] for name in taken if name in given})
    return dict(zip(wanted, map(np.asarray, found), strict=True))


def _describe(name: str, value: np.ndarray) -> onnx.ValueInfoProto:
    kind = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
    return onnx.helper.make_tensor_value_info(name, kind, value.shape)


def read_onnx(file: Path) -> OnnxGraph:
    """Read a network with one image input and one output.

    Raises ExportError if the file is no ONNX, has other inputs or outputs, or leaves the image's size open.
    """
    try:
        model = onnx.load(file)
        onnx.checker.check_model(model)
    except FileNotFoundError:
        raise ExportError(f"{file} is missing") from None
    except (DecodeError, onnx.checker.ValidationError) as error:
        raise ExportError(f"{file} is no valid ONNX file: {str(error).splitlines()[0]}") from None
    graph = model.graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise ExportError(f"{file} has {len(inputs)} inputs and {len(graph.output)} outputs; expected one of each")
    sizes = [dimension.dim_value for dimension in inputs[0].type.tensor_type.shape.dim]
    if len(sizes) != 4 or not all(sizes[1:]):
        raise ExportError(f"{file}: the input has shape {sizes}; expected [batch, channels, height, width]")
    nodes = []
    for proto in graph.node:
        attributes = {each.name: onnx.helper.get_attribute_value(each) for each in proto.attribute}
        if proto.op_type == "Constant" and "value" in attributes:
            constants[proto.output[0]] = onnx.numpy_helper.to_array(attributes["value"])
        else:
            nodes.append(Node(proto.op_type, tuple(proto.input), tuple(proto.output), attributes))
    channels, height, width = sizes[1:]
    name = graph.output[0].name
    return OnnxGraph(file, inputs[0].name, (channels, height, width), name, tuple(nodes), constants)


def write_onnx(graph: OnnxGraph, out: Path) -> None:
    """Write the file of `graph` with the graph's own float32 constants to `out`."""
    model = onnx.load(graph.file)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            tensor.CopyFrom(onnx.numpy_helper.from_array(graph.constants[tensor.name], tensor.name))
    with written_whole(out) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))
