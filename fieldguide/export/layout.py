"""ONNX's NCHW against TensorFlow's NHWC: axes, constants and shapes across the two."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fieldguide.records.quiet_tensorflow import tf

Value = Any
"""np.ndarray: a constant in ONNX's layout. tf.Tensor: depends on the image, in NHWC where its rank is 4. None: an input
that the node leaves out."""

NHWC_AXES = (0, 3, 1, 2)
"""Where the axes N, C, H, W of ONNX stand in NHWC."""


class UnsupportedError(Exception):
    """A node that cannot be expressed; the message says what about it and what is allowed."""


def constant(value: Value, what: str) -> np.ndarray:
    """`value` if it is a constant. Raises UnsupportedError."""
    if not isinstance(value, np.ndarray):
        raise UnsupportedError(f"{what} is computed; allowed is a constant")
    return value


def nhwc_axis(axis: int, rank: int) -> int:
    """The axis of a tensor here that ONNX calls `axis` (not negative)."""
    return NHWC_AXES[axis] if rank == 4 else axis


def static_shape(x: tf.Tensor) -> list[int]:
    """The shape as ONNX sees it, -1 for the batch. Raises UnsupportedError if another size is open."""
    sizes = [-1, *x.shape.as_list()[1:]]
    if None in sizes:
        raise UnsupportedError(f"shape {sizes} is open beyond the batch; export with a fixed image size")
    return [sizes[axis] for axis in NHWC_AXES] if len(sizes) == 4 else sizes


def to_nchw(x: tf.Tensor) -> tf.Tensor:
    """`x` as ONNX lays it out. An image of one pixel is the same either way: no transposition."""
    if len(x.shape) != 4 or x.shape[1:3] == [1, 1]:
        return tf.reshape(x, [-1, x.shape[3]]) if len(x.shape) == 4 else x
    return tf.transpose(x, [0, 3, 1, 2])


def to_nhwc(x: tf.Tensor) -> tf.Tensor:
    """The inverse of `to_nchw` for tensors fresh from a reshape."""
    if len(x.shape) != 4:
        return x
    if x.shape[2:4] == [1, 1]:
        return tf.reshape(x, [-1, 1, 1, x.shape[1]])
    return tf.transpose(x, [0, 2, 3, 1])


def aligned(inputs: Sequence[Value]) -> list[Value]:
    """Operands of an elementwise operation so that TensorFlow's broadcasting does what ONNX's would."""
    rank = max(len(value.shape) for value in inputs)
    operands: list[Value] = []
    for value in inputs:
        if rank == 4 and isinstance(value, np.ndarray) and value.ndim > 0:
            expanded = value.reshape((1,) * (4 - value.ndim) + value.shape)
            operands.append(np.ascontiguousarray(expanded.transpose(0, 2, 3, 1)))
        elif rank == 4 and not isinstance(value, np.ndarray) and len(value.shape) != 4:
            raise UnsupportedError(
                f"broadcasts a computed tensor of rank {len(value.shape)} over images; allowed is rank 4"
            )
        else:
            operands.append(value)
    return operands
