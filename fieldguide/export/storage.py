"""How the bundle stores its weights: which tensor in which type, and the values that remain.

A byte stores a whole tensor's range in 256 equal steps of which one is zero, as TensorFlow.js reads it. If every second
one alone is used (`uint7`), nothing changes for TensorFlow.js, and a weight is a bit less once it is packed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Final, Literal

import numpy as np

from fieldguide.export.onnx_graph import OnnxGraph
from fieldguide.export.params import Quantization

Storage = Literal["float32", "float16", "uint8", "uint7"]

QUANTIZATIONS: Final[tuple[Quantization, ...]] = ("none", "float16", "mixed", "uint8", "uint7")
"""From the largest bundle to the smallest."""

MIN_BYTE_WEIGHTS = {"mixed": 20_000, "uint8": 1_000, "uint7": 1_000}
MIN_UINT7_WEIGHTS = 20_000
"""Smaller tensors save too little to be worth their rounding error."""

NUM_STEPS = 255
STRIDES = {"uint8": 1, "uint7": 2}
"""Which steps of a byte are used: all, or every second one from zero and both ends."""


@dataclass(frozen=True)
class Kernel:
    """A part of a constant that a convolution or a matrix multiplies by, as one group of it is converted."""

    name: str
    """Of the constant."""
    rows: slice
    """Of its first axis."""
    shape: tuple[int, ...]
    """In TensorFlow: [height, width, inputs, outputs], or a matrix."""


def storage_of(quantization: Quantization, shape: Sequence[int]) -> Storage:
    """In what a tensor of this shape, as TensorFlow has it, is stored.

    `mixed` takes bytes for large matrices and 1x1 kernels, `uint8` and `uint7` for every kernel but the depthwise ones,
    in which a few weights say everything about a channel. `uint7` uses every second step in the large ones.
    """
    if quantization == "none":
        return "float32"
    if quantization == "float16" or prod(shape) < MIN_BYTE_WEIGHTS[quantization]:
        return "float16"
    is_matrix = len(shape) == 2 or (len(shape) == 4 and tuple(shape[:2]) == (1, 1))
    is_kernel = len(shape) == 4 and shape[3] > 1
    if not (is_matrix or (is_kernel and quantization != "mixed")):
        return "float16"
    return "uint7" if quantization == "uint7" and prod(shape) >= MIN_UINT7_WEIGHTS else "uint8"


def is_in_bytes(storage: Storage) -> bool:
    """Whether a weight so stored takes a byte."""
    return storage in STRIDES


def find_kernels(graph: OnnxGraph) -> Iterator[Kernel]:
    """Every kernel and matrix of `graph` once."""
    seen = set()
    for node in graph.nodes:
        name = node.inputs[1] if len(node.inputs) > 1 else ""
        if name in seen or name not in graph.constants or node.operator not in ("Conv", "Gemm", "MatMul"):
            continue
        seen.add(name)
        shape = graph.constants[name].shape
        if node.operator != "Conv":
            yield Kernel(name, slice(None), shape)
            continue
        outputs, inputs, height, width = shape
        groups = node.attributes.get("group", 1)
        if inputs == 1 and groups > 1:
            yield Kernel(name, slice(None), (height, width, groups, outputs // groups))
            continue
        size = outputs // groups
        for group in range(groups):
            yield Kernel(name, slice(group * size, (group + 1) * size), (height, width, inputs, size))


def store(
    graph: OnnxGraph, quantization: Quantization, rounded: Mapping[str, np.ndarray] | None = None
) -> tuple[OnnxGraph, bytes]:
    """`graph` with the values that remain of its weights, and all of them as they are stored.

    `rounded` are kernels and biases in the place of its own (rounding.py), by name.
    """
    rounded = rounded or {}
    constants = dict(graph.constants)
    kernels = list(find_kernels(graph))
    content = []
    for name, value in graph.constants.items():
        if value.dtype != np.float32:
            continue
        parts = [kernel for kernel in kernels if kernel.name == name] or [Kernel(name, slice(None), value.shape)]
        stored = np.empty_like(value)
        for part in parts:
            storage = storage_of(quantization, part.shape)
            source = rounded.get(name, value)
            place = part.rows if value.ndim else ...
            stored[place] = round_trip(source[place], storage)
            content.append(encode(source[place], storage).tobytes())
        constants[name] = stored
    return replace(graph, constants=constants), b"".join(content)


def encode(value: np.ndarray, storage: Storage) -> np.ndarray:
    """What is stored of `value`: itself, or its steps from the least."""
    if not is_in_bytes(storage):
        return value.astype(storage)
    low, step = byte_range(value)
    return nearest_steps(value, low, step, storage)


def nearest_steps(value: np.ndarray, low: float, step: float, storage: Storage) -> np.ndarray:
    """The nearest of the steps from `low` that `storage` uses: uint8 of the shape of `value`."""
    # The range was moved by up to half a step, so its ends may lie outside.
    steps = np.clip((value - low) / (step or 1), 0, NUM_STEPS)
    stride = STRIDES[storage]
    zero = np.round(-low / (step or 1)) % stride
    used = np.clip(zero + np.round((steps - zero) / stride) * stride, 0, NUM_STEPS)
    # Both ends are used: the range that is stored is that of the values, so it stays where it is.
    used[steps < 0.5], used[steps > NUM_STEPS - 0.5] = 0, NUM_STEPS
    nearest: np.ndarray = used.astype(np.uint8)
    return nearest


def round_trip(value: np.ndarray, storage: Storage) -> np.ndarray:
    """`value` after it was stored: float32."""
    if not is_in_bytes(storage):
        return value.astype(storage).astype(np.float32)
    low, step = byte_range(value)
    if not step:
        return value
    stored: np.ndarray = encode(value, storage) * step + low
    return stored.astype(np.float32)


def byte_range(value: np.ndarray) -> tuple[float, float]:
    """The least value that a byte can say of a tensor, and the step from one to the next; 0 if all are equal."""
    low, high = float(value.min()), float(value.max())
    step = (high - low) / NUM_STEPS
    if step and low <= 0 <= high:
        low = -float(np.round(-low / step)) * step
    return low, step
