"""What each ONNX operator is in TensorFlow.

A function takes the node's inputs and attributes and returns its outputs. Constants come as NumPy arrays in ONNX's
layout, everything that depends on the image as tensors in NHWC (see graph.py).

A new operator is a new entry of OPERATORS, made of operations that TensorFlow.js has too. Nothing is to be listed for
the page: the export runs the model once and takes what it used (web/trace.mjs).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fieldguide.export.layout import (
    UnsupportedError,
    Value,
    aligned,
    constant,
    nhwc_axis,
    static_shape,
    to_nchw,
    to_nhwc,
)
from fieldguide.export.windows import average_pool, convolve, max_pool
from fieldguide.records.quiet_tensorflow import tf

Inputs = Sequence[Value]
Attributes = dict[str, Any]
Operator = Callable[[Inputs, Attributes], list[Value]]


def _elementwise(function: Callable[..., tf.Tensor]) -> Operator:
    return lambda inputs, attributes: [function(*aligned(inputs))]


def _clip(inputs: Inputs, attributes: Attributes) -> list[Value]:
    bounds = [*inputs[1:], None, None][:2]
    low, high = (None if bound is None else float(constant(bound, "a bound")) for bound in bounds)
    x = inputs[0]
    if (low, high) == (0.0, 6.0):
        return [tf.nn.relu6(x)]
    if (low, high) == (0.0, None):
        return [tf.nn.relu(x)]
    x = x if low is None else tf.maximum(x, low)
    return [x if high is None else tf.minimum(x, high)]


def _leaky_relu(inputs: Inputs, attributes: Attributes) -> list[Value]:
    return [tf.nn.leaky_relu(inputs[0], attributes.get("alpha", 0.01))]


def _prelu(inputs: Inputs, attributes: Attributes) -> list[Value]:
    x, slope = aligned(inputs)
    return [tf.nn.relu(x) - slope * tf.nn.relu(-x)]


def _hard_sigmoid(inputs: Inputs, attributes: Attributes) -> list[Value]:
    alpha, beta = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
    # relu6 instead of a clip to [0, 1]: every backend of TensorFlow.js has it as one kernel.
    return [tf.nn.relu6(inputs[0] * (6 * alpha) + 6 * beta) * (1 / 6)]


def _hard_swish(inputs: Inputs, attributes: Attributes) -> list[Value]:
    return [inputs[0] * (tf.nn.relu6(inputs[0] + 3.0) * (1 / 6))]


def _batch_normalization(inputs: Inputs, attributes: Attributes) -> list[Value]:
    if attributes.get("training_mode", 0):
        raise UnsupportedError("is in training mode; export the network in evaluation mode")
    scale, bias, mean, variance = (constant(each, "a statistic").astype(np.float64) for each in inputs[1:5])
    factor = scale / np.sqrt(variance + attributes.get("epsilon", 1e-5))
    shift = bias - mean * factor
    return [inputs[0] * factor.astype(np.float32) + shift.astype(np.float32)]


def _global_average_pool(inputs: Inputs, attributes: Attributes) -> list[Value]:
    return [tf.reduce_mean(inputs[0], [1, 2], keepdims=True)]


def _reduce_mean(inputs: Inputs, attributes: Attributes) -> list[Value]:
    x = inputs[0]
    rank = len(x.shape)
    axes = attributes.get("axes") if len(inputs) < 2 else constant(inputs[1], "axes")
    keep = bool(attributes.get("keepdims", 1))
    axes = sorted(int(axis) % rank for axis in (range(rank) if axes is None else axes))
    if rank == 4 and not keep and axes != [2, 3]:
        raise UnsupportedError(f"drops axes {axes} of an image; allowed are [2, 3], or keepdims=1")
    return [tf.reduce_mean(x, [nhwc_axis(axis, rank) for axis in axes], keepdims=keep)]


def _gemm(inputs: Inputs, attributes: Attributes) -> list[Value]:
    if attributes.get("transA", 0):
        raise UnsupportedError("transA=1; allowed is 0")
    weight = constant(inputs[1], "the weight") * np.float32(attributes.get("alpha", 1.0))
    y = tf.matmul(inputs[0], np.ascontiguousarray(weight.T if attributes.get("transB", 0) else weight))
    if len(inputs) > 2 and inputs[2] is not None:
        bias = constant(inputs[2], "the bias") * np.float32(attributes.get("beta", 1.0))
        y = tf.nn.bias_add(y, np.broadcast_to(bias.reshape(-1), (weight.shape[0 if attributes.get("transB") else 1],)))
    return [y]


def _matmul(inputs: Inputs, attributes: Attributes) -> list[Value]:
    x, weight = inputs[0], constant(inputs[1], "the second factor")
    if len(x.shape) != 2 or weight.ndim != 2:
        raise UnsupportedError(f"multiplies ranks {len(x.shape)} and {weight.ndim}; allowed are 2 and 2")
    return [tf.matmul(x, weight)]


def _reshape(inputs: Inputs, attributes: Attributes) -> list[Value]:
    target = [int(size) for size in constant(inputs[1], "the shape")]
    return [_reshaped(inputs[0], target)]


def _flatten(inputs: Inputs, attributes: Attributes) -> list[Value]:
    if attributes.get("axis", 1) != 1:
        raise UnsupportedError(f"axis={attributes['axis']}; allowed is 1")
    return [_reshaped(inputs[0], [0, -1])]


def _squeeze(inputs: Inputs, attributes: Attributes) -> list[Value]:
    x = inputs[0]
    shape = static_shape(x)
    axes = attributes.get("axes") if len(inputs) < 2 else constant(inputs[1], "axes")
    chosen = {int(axis) % len(shape) for axis in ([i for i, n in enumerate(shape) if n == 1] if axes is None else axes)}
    return [_reshaped(x, [0 if i == 0 else size for i, size in enumerate(shape) if i not in chosen])]


def _reshaped(x: tf.Tensor, target: list[int]) -> tf.Tensor:
    """ONNX's Reshape where the batch axis stays first: 0 copies a size, -1 takes what is left."""
    shape = static_shape(x)
    if not target or target[0] not in (0, -1):
        raise UnsupportedError(f"reshapes to {target}; the first size must be 0 or -1 to keep the batch axis open")
    sizes = [shape[axis] if size == 0 else size for axis, size in enumerate(target)][1:]
    num_values, known = int(np.prod(shape[1:])), int(np.prod([size for size in sizes if size != -1]))
    sizes = [num_values // known if size == -1 else size for size in sizes]
    if int(np.prod(sizes)) != num_values:
        raise UnsupportedError(
            f"reshapes [batch, {', '.join(map(str, shape[1:]))}] to {target}, which moves the batch axis"
        )
    return to_nhwc(tf.reshape(to_nchw(x), [-1, *sizes]))


def _concat(inputs: Inputs, attributes: Attributes) -> list[Value]:
    parts = aligned(inputs)
    rank = len(parts[0].shape)
    return [tf.concat(parts, nhwc_axis(attributes["axis"] % rank, rank))]


def _slice(inputs: Inputs, attributes: Attributes) -> list[Value]:
    x = inputs[0]
    shape = static_shape(x)
    starts, ends = (constant(each, "a bound").tolist() for each in inputs[1:3])
    axes = constant(inputs[3], "axes").tolist() if len(inputs) > 3 else list(range(len(starts)))
    steps = constant(inputs[4], "steps").tolist() if len(inputs) > 4 else [1] * len(starts)
    window = [slice(None)] * len(shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if axis % len(shape) == 0 or step < 1:
            raise UnsupportedError("slices the batch axis or backwards; allowed are the other axes, forwards")
        first, last, _ = slice(start, end, step).indices(shape[axis])
        window[nhwc_axis(axis % len(shape), len(shape))] = slice(first, last, step)
    return [x[tuple(window)]]


def _split(inputs: Inputs, attributes: Attributes) -> list[Value]:
    if len(inputs) < 2 or inputs[1] is None:
        raise UnsupportedError("has no sizes; allowed is a constant list of them")
    sizes = [int(size) for size in constant(inputs[1], "the sizes")]
    rank = len(inputs[0].shape)
    return list(tf.split(inputs[0], sizes, nhwc_axis(attributes.get("axis", 0) % rank, rank)))


def _pad(inputs: Inputs, attributes: Attributes) -> list[Value]:
    mode = attributes.get("mode", b"constant")
    if mode != b"constant" or (len(inputs) > 3 and inputs[3] is not None):
        raise UnsupportedError(f"mode {mode.decode()} or chosen axes; allowed is constant padding of all axes")
    pads = constant(inputs[1], "pads").tolist()
    rank = len(pads) // 2
    fill = float(constant(inputs[2], "the value")) if len(inputs) > 2 and inputs[2] is not None else 0.0
    pairs = [[0, 0]] * rank
    for axis in range(rank):
        pairs[nhwc_axis(axis, rank)] = [int(pads[axis]), int(pads[axis + rank])]
    return [tf.pad(inputs[0], pairs, constant_values=fill)]


OPERATORS: dict[str, Operator] = {
    "Add": _elementwise(tf.add),
    "AveragePool": lambda inputs, attributes: [average_pool(inputs[0], attributes)],
    "BatchNormalization": _batch_normalization,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": lambda inputs, attributes: [convolve(inputs[0], inputs[1:], attributes)],
    "Div": _elementwise(tf.divide),
    "Dropout": lambda inputs, attributes: [inputs[0]],
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average_pool,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
    "Identity": lambda inputs, attributes: [inputs[0]],
    "LeakyRelu": _leaky_relu,
    "MatMul": _matmul,
    "MaxPool": lambda inputs, attributes: [max_pool(inputs[0], attributes)],
    "Mul": _elementwise(tf.multiply),
    "PRelu": _prelu,
    "Pad": _pad,
    "ReduceMean": _reduce_mean,
    "Relu": _elementwise(tf.nn.relu),
    "Reshape": _reshape,
    "Sigmoid": _elementwise(tf.sigmoid),
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Sub": _elementwise(tf.subtract),
    "Tanh": _elementwise(tf.tanh),
}
"""By ONNX name; a student may use these and no others."""
