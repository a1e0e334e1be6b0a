"""Operators that go along axes: joining, cutting, padding and reducing tensors of either layout.

`place` says where the tensors have the axes that ONNX means (layout.py).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fieldguide.export.layout import Place, UnsupportedError, Value, constant, open_axis
from fieldguide.records.quiet_tensorflow import tf

Inputs = Sequence[Value]
Attributes = dict[str, Any]


def concat(inputs: Inputs, attributes: Attributes, place: Place) -> list[Value]:
    """ONNX's Concat. A constant part, as a class token, is repeated for every image."""
    rank = len(inputs[0].shape)
    axis = place(attributes["axis"] % rank, rank)
    computed = next(part for part in inputs if not isinstance(part, np.ndarray))
    batch = open_axis(computed)
    if axis == batch:
        raise UnsupportedError("joins along the batch axis; allowed are the others")
    zero = computed[tuple(slice(None) if each == batch else slice(1) for each in range(rank))] * 0
    parts = [_laid_out(part, place) + zero if isinstance(part, np.ndarray) else part for part in inputs]
    return [tf.concat(parts, axis)]


def slice_(inputs: Inputs, attributes: Attributes, place: Place) -> list[Value]:
    """ONNX's Slice, forwards."""
    x = inputs[0]
    rank, batch = len(x.shape), open_axis(x)
    starts, ends = (constant(each, "a bound").tolist() for each in inputs[1:3])
    axes = constant(inputs[3], "axes").tolist() if len(inputs) > 3 else list(range(len(starts)))
    steps = constant(inputs[4], "steps").tolist() if len(inputs) > 4 else [1] * len(starts)
    window = [slice(None)] * rank
    for start, end, onnx_axis, step in zip(starts, ends, axes, steps, strict=True):
        axis = place(onnx_axis % rank, rank)
        if axis == batch or step < 1:
            raise UnsupportedError("slices the batch axis or backwards; allowed are the other axes, forwards")
        first, last, _ = slice(start, end, step).indices(x.shape[axis])
        window[axis] = slice(first, last, step)
    return [x[tuple(window)]]


def split(inputs: Inputs, attributes: Attributes, place: Place) -> list[Value]:
    """ONNX's Split into parts of given sizes, or into equal ones."""
    x = inputs[0]
    rank = len(x.shape)
    axis = place(attributes.get("axis", 0) % rank, rank)
    if axis == open_axis(x):
        raise UnsupportedError("splits the batch axis; allowed are the others")
    if len(inputs) > 1 and inputs[1] is not None:
        sizes = [int(size) for size in constant(inputs[1], "the sizes")]
    elif num_parts := attributes.get("num_outputs"):
        size = -(-x.shape[axis] // num_parts)
        sizes = [min(size, x.shape[axis] - start) for start in range(0, x.shape[axis], size)]
    else:
        raise UnsupportedError("has no sizes; allowed is a constant list of them")
    return list(tf.split(x, sizes, axis))


def pad(inputs: Inputs, attributes: Attributes, place: Place) -> list[Value]:
    """ONNX's Pad with a constant."""
    mode = attributes.get("mode", b"constant")
    if mode != b"constant" or (len(inputs) > 3 and inputs[3] is not None):
        raise UnsupportedError(f"mode {mode.decode()} or chosen axes; allowed is constant padding of all axes")
    pads = constant(inputs[1], "pads").tolist()
    rank = len(pads) // 2
    fill = float(constant(inputs[2], "the value")) if len(inputs) > 2 and inputs[2] is not None else 0.0
    pairs = [[0, 0]] * rank
    for axis in range(rank):
        pairs[place(axis, rank)] = [int(pads[axis]), int(pads[axis + rank])]
    return [tf.pad(inputs[0], pairs, constant_values=fill)]


def reducing(function: Callable[..., tf.Tensor]) -> Callable[[Inputs, Attributes, Place], list[Value]]:
    """ONNX's operator that reduces axes by `function`, as `tf.reduce_mean`."""

    def reduce(inputs: Inputs, attributes: Attributes, place: Place) -> list[Value]:
        x = inputs[0]
        rank = len(x.shape)
        given = attributes.get("axes") if len(inputs) < 2 else constant(inputs[1], "axes")
        axes = {int(axis) % rank for axis in (range(rank) if given is None else given)}
        keeps_rank = bool(attributes.get("keepdims", 1))
        y = function(x, sorted(place(axis, rank) for axis in axes), keepdims=keeps_rank)
        if keeps_rank:
            return [y]
        kept = [axis for axis in range(rank) if axis not in axes]
        order = sorted(kept, key=lambda axis: place(axis, rank))
        return [y if order == kept else tf.transpose(y, [order.index(axis) for axis in kept])]

    return reduce


def _laid_out(value: np.ndarray, place: Place) -> np.ndarray:
    """A constant as the tensors are laid out."""
    return np.moveaxis(value, range(value.ndim), [place(axis, value.ndim) for axis in range(value.ndim)])
