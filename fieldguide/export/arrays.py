"""Operators on tensors of any rank in ONNX's order: matrices, attention, and changes of shape."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fieldguide.export.layout import UnsupportedError, Value, constant, open_axis
from fieldguide.records.quiet_tensorflow import tf

Inputs = Sequence[Value]
Attributes = dict[str, Any]


def gemm(inputs: Inputs, attributes: Attributes) -> list[Value]:
    """ONNX's Gemm with a constant second factor."""
    if attributes.get("transA", 0):
        raise UnsupportedError("transA=1; allowed is 0")
    weight = constant(inputs[1], "the weight") * np.float32(attributes.get("alpha", 1.0))
    weight = np.ascontiguousarray(weight.T if attributes.get("transB", 0) else weight)
    y = tf.matmul(inputs[0], weight)
    if len(inputs) > 2 and inputs[2] is not None:
        bias = constant(inputs[2], "the bias") * np.float32(attributes.get("beta", 1.0))
        y = tf.nn.bias_add(y, np.broadcast_to(bias.reshape(-1), (weight.shape[1],)))
    return [y]


def matmul(inputs: Inputs, attributes: Attributes) -> list[Value]:
    """ONNX's MatMul: by a constant matrix, or of two computed stacks of matrices."""
    x, y = inputs
    if isinstance(x, np.ndarray) or (isinstance(y, np.ndarray) and y.ndim != 2):
        raise UnsupportedError("multiplies a constant from the left, or one that is no matrix from the right")
    if not isinstance(y, np.ndarray):
        if len(x.shape) != len(y.shape):
            raise UnsupportedError(f"multiplies ranks {len(x.shape)} and {len(y.shape)}; allowed are equal ones")
        return [tf.matmul(x, y)]
    if len(x.shape) == 2:
        return [tf.matmul(x, y)]
    # One large product instead of one for each image.
    rows = tf.matmul(tf.reshape(x, [-1, x.shape[-1]]), y)
    return [tf.reshape(rows, _sizes([*x.shape[:-1], y.shape[1]]))]


def softmax(inputs: Inputs, attributes: Attributes) -> list[Value]:
    """ONNX's Softmax; TensorFlow.js has it along the last axis alone."""
    x = inputs[0]
    rank = len(x.shape)
    axis = attributes.get("axis", -1) % rank
    if axis == rank - 1:
        return [tf.nn.softmax(x)]
    swapped = list(range(rank))
    swapped[axis], swapped[-1] = rank - 1, axis
    return [tf.transpose(tf.nn.softmax(tf.transpose(x, swapped)), swapped)]


def layer_normalization(inputs: Inputs, attributes: Attributes) -> list[Value]:
    """ONNX's LayerNormalization over the last axis."""
    x = inputs[0]
    axis = attributes.get("axis", -1)
    if axis % len(x.shape) != len(x.shape) - 1:
        raise UnsupportedError(f"normalises from axis {axis} on; allowed is the last axis alone")
    centred = x - tf.reduce_mean(x, -1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), -1, keepdims=True)
    y = centred * tf.math.rsqrt(variance + attributes.get("epsilon", 1e-5)) * constant(inputs[1], "the scale")
    return [y + constant(inputs[2], "the bias") if len(inputs) > 2 and inputs[2] is not None else y]


def reshape(inputs: Inputs, attributes: Attributes) -> list[Value]:
    """ONNX's Reshape where the batch ends up in the first axis: 0 copies a size, -1 takes what is left."""
    x, target = inputs[0], [int(size) for size in constant(inputs[1], "the shape")]
    # A 1 is the batch too: that is what Shape says of it (graph.py).
    if not target or target[0] not in (0, 1, -1):
        raise UnsupportedError(f"reshapes to {target}; the first size must be 0 or -1 to keep the batch axis open")
    sizes = [x.shape[axis + 1] if size == 0 else size for axis, size in enumerate(target[1:])]
    if target[0] != -1:
        num_values = int(np.prod([size for size in x.shape if size is not None]))
        known = int(np.prod([size for size in sizes if size != -1]))
        sizes = [num_values // known if size == -1 else size for size in sizes]
        if open_axis(x) or int(np.prod(sizes)) != num_values:
            raise UnsupportedError(f"reshapes {_sizes(x.shape)} to {target}, which moves the batch axis")
    return [tf.reshape(x, [-1, *sizes])]


def flatten(inputs: Inputs, attributes: Attributes) -> list[Value]:
    """ONNX's Flatten after the batch axis."""
    x = inputs[0]
    if attributes.get("axis", 1) != 1:
        raise UnsupportedError(f"axis={attributes['axis']}; allowed is 1")
    return [tf.reshape(x, [-1, int(np.prod(x.shape[1:]))])]


def squeeze(inputs: Inputs, attributes: Attributes) -> list[Value]:
    """ONNX's Squeeze."""
    x = inputs[0]
    given = attributes.get("axes") if len(inputs) < 2 else constant(inputs[1], "axes")
    axes = [axis for axis, size in enumerate(x.shape) if size == 1] if given is None else given
    dropped = {int(axis) % len(x.shape) for axis in axes}
    if open_axis(x) in dropped:
        raise UnsupportedError("squeezes the batch axis; allowed are the others")
    return [tf.reshape(x, _sizes([size for axis, size in enumerate(x.shape) if axis not in dropped]))]


def unsqueeze(inputs: Inputs, attributes: Attributes) -> list[Value]:
    """ONNX's Unsqueeze."""
    x, axes = inputs[0], constant(inputs[1], "axes").tolist()
    rank = len(x.shape) + len(axes)
    new = {axis % rank for axis in axes}
    sizes = iter(_sizes(x.shape))
    return [tf.reshape(x, [1 if axis in new else next(sizes) for axis in range(rank)])]


def expand(inputs: Inputs, attributes: Attributes) -> list[Value]:
    """ONNX's Expand to sizes of the same rank."""
    x, target = inputs[0], constant(inputs[1], "the shape").tolist()
    batch = open_axis(x)
    if len(target) != len(x.shape) or target[batch] != 1:
        raise UnsupportedError(
            f"expands {_sizes(x.shape)} to {target}; allowed is the same rank, and the batch as it is"
        )
    return [x * np.ones([1 if axis == batch else size for axis, size in enumerate(target)], np.float32)]


def gather(inputs: Inputs, attributes: Attributes) -> list[Value]:
    """ONNX's Gather of constant positions along an axis that is not the batch."""
    x, positions = inputs[0], constant(inputs[1], "the position")
    axis = attributes.get("axis", 0) % len(x.shape)
    if axis == open_axis(x) or positions.ndim > 1:
        raise UnsupportedError("gathers images or by a table; allowed are one or a list of positions of another axis")
    positions = positions % x.shape[axis]
    if positions.ndim == 0:
        return [x[(*[slice(None)] * axis, int(positions))]]
    return [tf.gather(x, positions.astype(np.int32), axis=axis)]


def _sizes(shape: Sequence[int | None]) -> list[int]:
    """A shape as tf.reshape takes it, -1 for the batch."""
    return [-1 if size is None else int(size) for size in shape]
