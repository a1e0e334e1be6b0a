"""Rounding of weights to bytes that is learned from photos: each weight's error is made up for by those after it.

For a kernel with inputs X the loss of rounding is quadratic, with the matrix X'X: what rounding spoils in the weights
of one input can be taken out of the others in closed form (Frantar et al. 2022, GPTQ, arXiv:2210.17323). AdaRound
(Nagel et al. 2020) minimises the same loss by gradient descent.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import onnx
import onnxruntime
from threadpoolctl import threadpool_limits

from fieldguide.export.onnx_graph import Node, OnnxGraph
from fieldguide.export.storage import NUM_STEPS, byte_range, storage_of

DAMPING = 0.01
"""Of the mean of the diagonal, added to it: inputs that never vary say nothing."""
BATCH_SIZE = 8
PIECE_INPUTS = 64
"""Inputs of a kernel that are rounded at a time."""


def learn_rounding(graph: OnnxGraph, images: np.ndarray) -> dict[str, np.ndarray]:
    """The kernels of `graph` that `uint8` stores in bytes, on their steps, rounded for `images`; by name.

    `images`: float32 [num_images, height, width, 3], normalised. Rounding the result to the nearest step again changes
    nothing: a kernel keeps its least and its greatest weight. Grouped convolutions are left out.
    """
    chosen = {node.inputs[1]: node for node in graph.nodes if _is_learned(graph, node)}
    rounded = {}
    with threadpool_limits(1):
        for name, moments in _moments(graph, chosen, images).items():
            node, value = chosen[name], graph.constants[name]
            rounded[name] = _as_given(node, round_rows(_as_rows(node, value), moments, *byte_range(value)), value.shape)
    return rounded


def round_rows(weights: np.ndarray, moments: np.ndarray, low: float, step: float) -> np.ndarray:
    """`weights` [outputs, inputs] on the steps from `low`, so that products with the inputs change least.

    `moments` [inputs, inputs] are the sums of products of the inputs.
    """
    # The inputs that matter most go first, as long as there are others to make up for them.
    order = np.argsort(-np.diag(moments), kind="stable")
    damped = moments[np.ix_(order, order)]
    damped = damped + np.eye(len(damped)) * max(DAMPING * np.diag(damped).mean(), 1e-12)
    factors = np.linalg.cholesky(np.linalg.inv(damped)).T
    columns = weights.astype(np.float64).T[order]
    is_extreme = (columns == columns.min()) | (columns == columns.max())
    result = np.empty_like(columns)
    for start in range(0, len(columns), PIECE_INPUTS):
        # What a piece spoils is taken out of all inputs behind it at once: they are read once a piece.
        end = min(start + PIECE_INPUTS, len(columns))
        errors = np.empty_like(columns[start:end])
        for i in range(start, end):
            codes = np.clip(np.round((columns[i] - low) / step), 0, NUM_STEPS)
            result[i] = codes * step + low
            errors[i - start] = (columns[i] - result[i]) / factors[i, i]
            columns[i + 1 : end] -= np.outer(factors[i, i + 1 : end], errors[i - start])
        columns[end:] -= factors[start:end, end:].T @ errors
    # The range of a stored kernel is that of its weights, so its ends stay where they are.
    nearest = np.round((weights.T[order] - low) / step) * step + low
    result[is_extreme] = nearest[is_extreme]
    learned: np.ndarray = result[np.argsort(order)].T
    return np.ascontiguousarray(learned, np.float32)


def _is_learned(graph: OnnxGraph, node: Node) -> bool:
    if node.operator not in ("Conv", "Gemm", "MatMul") or node.inputs[1] not in graph.constants:
        return False
    shape = graph.constants[node.inputs[1]].shape
    if node.operator == "Conv":
        if node.attributes.get("group", 1) > 1 or node.attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
            return False
        shape = (*shape[2:], shape[1], shape[0])
    return storage_of("uint8", shape) == "uint8"


def _moments(graph: OnnxGraph, chosen: dict[str, Node], images: np.ndarray) -> dict[str, np.ndarray]:
    """The sums of products of the inputs of each chosen kernel over `images`."""
    model = onnx.load(graph.file)
    wanted = list(dict.fromkeys(node.inputs[0] for node in chosen.values()))
    known = {each.name for each in model.graph.output} | {graph.input_name}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted if name not in known)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the same sums, however many cores there are
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs = [name for name in wanted if name != graph.input_name]
    moments: dict[str, np.ndarray] = {}
    for batch in _batches(images):
        computed = session.run(outputs, {graph.input_name: batch}) if outputs else []
        found = {graph.input_name: batch, **dict(zip(outputs, computed, strict=True))}
        for name, node in chosen.items():
            rows = _input_rows(node, found[node.inputs[0]], graph.constants[name].shape)
            moments[name] = moments.get(name, 0) + (rows.T @ rows).astype(np.float64)
    return moments


def _batches(images: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(images), BATCH_SIZE):
        yield np.ascontiguousarray(images[start : start + BATCH_SIZE].transpose(0, 3, 1, 2))


def _input_rows(node: Node, x: np.ndarray, kernel: Sequence[int]) -> np.ndarray:
    """What the kernel's weights of one output are multiplied by: [products, inputs]."""
    if node.operator != "Conv":
        return x.reshape(-1, x.shape[-1])
    top, left, bottom, right = node.attributes.get("pads", [0, 0, 0, 0])
    rows, columns = node.attributes.get("strides", [1, 1])
    down, across = node.attributes.get("dilations", [1, 1])
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    size = ((kernel[2] - 1) * down + 1, (kernel[3] - 1) * across + 1)
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))[:, :, ::rows, ::columns, ::down, ::across]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, kernel[1] * kernel[2] * kernel[3])


def _as_rows(node: Node, value: np.ndarray) -> np.ndarray:
    """A kernel as [outputs, inputs]."""
    if node.operator == "Conv":
        return value.reshape(len(value), -1)
    return value if node.attributes.get("transB", 0) else value.T


def _as_given(node: Node, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if node.operator == "Conv":
        return rows.reshape(shape)
    return rows if node.attributes.get("transB", 0) else np.ascontiguousarray(rows.T)
