"""Rounding of weights to bytes that is learned from photos: each weight's error is made up for by those after it.

For a kernel with inputs X the loss of rounding is quadratic, with the matrix X'X: what rounding spoils in the weights
of one input can be taken out of the others in closed form (Frantar et al. 2022, GPTQ, arXiv:2210.17323). AdaRound
(Nagel et al. 2020) minimises the same loss by gradient descent.

Kernels are rounded in the order in which they run, each behind those that are rounded already: a kernel is first moved
to what gives the exact network's outputs from the inputs that it will have (by least squares, as the asymmetric
calibration of GPTAQ, Li et al. 2025, arXiv:2504.02692, does column by column), and its bias makes up for what is left
of the mean (Nagel et al. 2019, arXiv:1906.04721).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from fieldguide.export.onnx_graph import Node, OnnxGraph, run_nodes
from fieldguide.export.params import Quantization
from fieldguide.export.storage import Storage, byte_range, is_in_bytes, nearest_steps, storage_of, store

DAMPING = 0.01
"""Of the mean of the diagonal, added to it: inputs that never vary say nothing."""
BATCH_SIZE = 8
PIECE_INPUTS = 64
"""Inputs of a kernel that are rounded at a time."""

Tensors = dict[str, np.ndarray]


class _Moments:
    """Sums over all products of a kernel with its inputs: `x` in the exact network, `y` in the rounded one."""

    def __init__(self, num_inputs: int) -> None:
        self.num = 0
        self.exact = np.zeros(num_inputs)
        """Of x."""
        self.given = np.zeros(num_inputs)
        """Of y."""
        self.products = np.zeros((num_inputs, num_inputs))
        """Of y'y."""
        self.shifts = np.zeros((num_inputs, num_inputs))
        """Of y'(x - y)."""

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Rows [products, inputs]."""
        self.num += len(y)
        self.exact += x.sum(axis=0, dtype=np.float64)
        self.given += y.sum(axis=0, dtype=np.float64)
        self.products += y.T @ y
        self.shifts += y.T @ (x - y)


@dataclass
class _Run:
    """A network that is run a few nodes at a time, for all photos: tensors by name, for each batch."""

    graph: OnnxGraph
    constants: Tensors
    batches: list[Tensors]
    num_run: int = 0

    def advance(self, end: int) -> None:
        """Run the nodes before number `end`, and let go of what none behind them takes."""
        nodes = self.graph.nodes[self.num_run : end]
        later = {name for node in self.graph.nodes[end:] for name in node.inputs}
        wanted = [name for node in nodes for name in node.outputs if name in later]
        for number, tensors in enumerate(self.batches):
            found = run_nodes(self.graph, nodes, self.constants, tensors, wanted) if wanted else {}
            self.batches[number] = {name: value for name, value in {**tensors, **found}.items() if name in later}
        self.num_run = end


def learn_rounding(graph: OnnxGraph, images: np.ndarray, quantization: Quantization) -> Tensors:
    """What `quantization` stores in bytes of `graph`, on the steps that it uses, rounded for `images`; by name.

    The kernels, and the biases that make up for them. `images`: float32 [num_images, height, width, 3], normalised.
    Rounding the kernels to the nearest step again changes nothing. Grouped convolutions are left out.
    """
    chosen = [number for number, node in enumerate(graph.nodes) if _is_learned(graph, node, quantization)]
    if not chosen:
        return {}
    stored, _ = store(graph, quantization)
    batches = [{graph.input_name: batch} for batch in _batches(images)]
    exact = _Run(graph, graph.constants, batches)
    # What is learned is exact until its turn comes; all else is as it is stored.
    learned = {graph.nodes[number].inputs[1]: graph.constants[graph.nodes[number].inputs[1]] for number in chosen}
    rounded = _Run(graph, stored.constants | learned, list(batches))
    changed: Tensors = {}
    with threadpool_limits(1):
        for number in chosen:
            exact.advance(number)
            rounded.advance(number)
            node = graph.nodes[number]
            if node.inputs[1] in changed:
                continue
            found = _round(graph, node, _sum_moments(graph, node, exact, rounded), quantization)
            changed |= found
            rounded.constants |= found
    return changed


def _round(graph: OnnxGraph, node: Node, moments: _Moments, quantization: Quantization) -> Tensors:
    """The kernel and, where it has one of its own, the bias of `node`."""
    kernel = graph.constants[node.inputs[1]]
    weights = _as_rows(node, kernel).astype(np.float64)
    wanted = weights + np.linalg.solve(_damped(moments.products), moments.shifts @ weights.T).T
    rows = round_rows(wanted, moments.products, _storage(node, kernel.shape, quantization))
    found = {node.inputs[1]: _as_given(node, rows, kernel.shape)}
    name = node.inputs[2] if len(node.inputs) > 2 else ""
    bias = graph.constants.get(name)
    if bias is not None and bias.size == len(rows) and _count_uses(graph, name) == 1:
        lost = weights @ moments.exact - rows.astype(np.float64) @ moments.given
        found[name] = (bias + (lost / moments.num).reshape(bias.shape)).astype(np.float32)
    return found


def _count_uses(graph: OnnxGraph, name: str) -> int:
    return sum(each == name for node in graph.nodes for each in node.inputs)


def round_rows(weights: np.ndarray, moments: np.ndarray, storage: Storage) -> np.ndarray:
    """`weights` [outputs, inputs] on the steps of `storage`, so that products with the inputs change least.

    `moments` [inputs, inputs] are the sums of products of the inputs.
    """
    low, step = byte_range(weights)
    # The inputs that matter most go first, as long as there are others to make up for them.
    order = np.argsort(-np.diag(moments), kind="stable")
    factors = np.linalg.cholesky(np.linalg.inv(_damped(moments[np.ix_(order, order)]))).T
    columns = weights.astype(np.float64).T[order]
    is_extreme = (columns == columns.min()) | (columns == columns.max())
    result = np.empty_like(columns)
    for start in range(0, len(columns), PIECE_INPUTS):
        # What a piece spoils is taken out of all inputs behind it at once: they are read once a piece.
        end = min(start + PIECE_INPUTS, len(columns))
        errors = np.empty_like(columns[start:end])
        for i in range(start, end):
            result[i] = nearest_steps(columns[i], low, step, storage) * step + low
            errors[i - start] = (columns[i] - result[i]) / factors[i, i]
            columns[i + 1 : end] -= np.outer(factors[i, i + 1 : end], errors[i - start])
        columns[end:] -= factors[start:end, end:].T @ errors
    # The range of a stored kernel is that of its weights, so its ends stay where they are.
    nearest = nearest_steps(weights.T[order], low, step, storage) * step + low
    result[is_extreme] = nearest[is_extreme]
    learned: np.ndarray = result[np.argsort(order)].T
    return np.ascontiguousarray(learned, np.float32)


def _damped(moments: np.ndarray) -> np.ndarray:
    return moments + np.eye(len(moments)) * max(DAMPING * np.diag(moments).mean(), 1e-12)


def _is_learned(graph: OnnxGraph, node: Node, quantization: Quantization) -> bool:
    factor, kernel = node.inputs[:2] if node.operator in ("Conv", "Gemm", "MatMul") else ("", "")
    if kernel not in graph.constants or factor in graph.constants:
        return False
    if (node.attributes.get("alpha", 1), node.attributes.get("beta", 1)) != (1, 1):
        return False
    if node.attributes.get("group", 1) > 1 or node.attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
        return False
    return is_in_bytes(_storage(node, graph.constants[node.inputs[1]].shape, quantization))


def _storage(node: Node, shape: Sequence[int], quantization: Quantization) -> Storage:
    return storage_of(quantization, (*shape[2:], shape[1], shape[0]) if node.operator == "Conv" else shape)


def _sum_moments(graph: OnnxGraph, node: Node, exact: _Run, rounded: _Run) -> _Moments:
    kernel = graph.constants[node.inputs[1]]
    moments, shape = _Moments(_as_rows(node, kernel).shape[1]), kernel.shape
    for each, other in zip(exact.batches, rounded.batches, strict=True):
        # One photo after the other: their windows hold each value as often as there are places in the kernel.
        for x, y in zip(each[node.inputs[0]], other[node.inputs[0]], strict=True):
            moments.add(_input_rows(node, x[None], shape), _input_rows(node, y[None], shape))
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
