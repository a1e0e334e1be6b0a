"""ONNX's NCHW against TensorFlow's NHWC: tensors of rank 4 in either, axes, constants and shapes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fieldguide.records.quiet_tensorflow import tf

Value = Any
"""np.ndarray: a constant in ONNX's layout. tf.Tensor: depends on the image. None: an input that the node leaves out."""

NHWC_AXES = (0, 3, 1, 2)
"""Where the axes N, C, H, W of ONNX stand in NHWC."""
NCHW_AXES = (0, 2, 3, 1)
"""Where the axes of NHWC stand in ONNX."""

Place = Callable[[int, int], int]
"""From an axis as ONNX counts it (not negative) and a rank to the axis of the tensor."""


class UnsupportedError(Exception):
    """A node that cannot be expressed; the message says what about it and what is allowed."""


def constant(value: Value, what: str) -> np.ndarray:
    """`value` if it is a constant. Raises UnsupportedError."""
    if not isinstance(value, np.ndarray):
        raise UnsupportedError(f"{what} is computed; allowed is a constant")
    return value


def nhwc_place(axis: int, rank: int) -> int:
    """Where a tensor has the axis if rank 4 means NHWC."""
    return NHWC_AXES[axis] if rank == 4 else axis


def onnx_place(axis: int, rank: int) -> int:
    """Where a tensor has the axis if it is laid out as in ONNX."""
    return axis


class Picture:
    """A computed tensor of rank 4 in NHWC, in ONNX's order, or in both; what is not there is made when it is asked for.

    Convolutions want the one, attention the other. A network that changes between them by Transpose, as a ConvNeXt does
    around each normalisation, then transposes nothing: the same tensor is only called by the other name.
    """

    def __init__(self, *, nhwc: tf.Tensor | None = None, onnx: tf.Tensor | None = None) -> None:
        self._nhwc, self._onnx = nhwc, onnx

    @property
    def has_nhwc(self) -> bool:
        """Whether NHWC costs nothing."""
        return self._nhwc is not None

    @property
    def nhwc(self) -> tf.Tensor:
        """The tensor in NHWC."""
        if self._nhwc is None:
            x = self._onnx
            assert x is not None
            has_one_pixel = x.shape[2:] == [1, 1]
            self._nhwc = tf.reshape(x, [-1, 1, 1, x.shape[1]]) if has_one_pixel else tf.transpose(x, NCHW_AXES)
        return self._nhwc

    @property
    def onnx(self) -> tf.Tensor:
        """The tensor in ONNX's order."""
        if self._onnx is None:
            x = self._nhwc
            assert x is not None
            has_one_pixel = x.shape[1:3] == [1, 1]
            self._onnx = tf.reshape(x, [-1, x.shape[3], 1, 1]) if has_one_pixel else tf.transpose(x, NHWC_AXES)
        return self._onnx

    def transposed(self, axes: Sequence[int]) -> "Picture":
        """The picture whose axis i is this one's `axes[i]`, both counted as in ONNX."""
        from_nhwc = [NHWC_AXES[axis] for axis in axes]
        ways = {"onnx": from_nhwc, "nhwc": [from_nhwc[axis] for axis in NCHW_AXES]}
        if self._nhwc is not None:
            for layout, way in ways.items():
                if way == [0, 1, 2, 3]:
                    return Picture(**{layout: self._nhwc})
        if self._onnx is None:
            return Picture(onnx=tf.transpose(self._nhwc, from_nhwc))
        if [axes[axis] for axis in NCHW_AXES] == [0, 1, 2, 3]:
            return Picture(nhwc=self._onnx)
        return Picture(onnx=tf.transpose(self._onnx, axes))


def open_axis(x: tf.Tensor) -> int:
    """The one axis of which the size is not known: the batch. Raises UnsupportedError if there is another."""
    unknown = [axis for axis, size in enumerate(x.shape) if size is None]
    if len(unknown) != 1:
        raise UnsupportedError(f"shape {x.shape} is open beyond the batch; export with a fixed image size")
    return unknown[0]


def aligned(inputs: Sequence[Value]) -> list[Value]:
    """Operands of an elementwise operation in NHWC so that TensorFlow's broadcasting does what ONNX's would."""
    rank = max(len(value.shape) for value in inputs)
    return [
        np.ascontiguousarray(value.reshape((1,) * (4 - value.ndim) + value.shape).transpose(NCHW_AXES))
        if rank == 4 and isinstance(value, np.ndarray) and value.ndim > 0
        else value
        for value in inputs
    ]
