"""What each ONNX operator is in TensorFlow.

A function takes the node's inputs and attributes and returns its outputs. Constants come as NumPy arrays in ONNX's
layout. Computed tensors of rank 4 come in NHWC or in ONNX's order, as the operator asks; others are the same in both.

A new operator is a new entry of OPERATORS, made of operations that TensorFlow.js has too. Nothing is to be listed for
the page: the export runs the model once and takes what it used (web/trace.mjs).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldguide.export import arrays, axes
from fieldguide.export.layout import (
    Picture,
    Place,
    UnsupportedError,
    Value,
    aligned,
    constant,
    nhwc_place,
    onnx_place,
)
from fieldguide.export.windows import average_pool, convolve, max_pool, resize
from fieldguide.records.quiet_tensorflow import tf

Inputs = Sequence[Value]
Attributes = dict[str, Any]
Function = Callable[[Inputs, Attributes], list[Value]]


@dataclass(frozen=True)
class Operator:
    """How an operator is expressed on tensors of rank 4 in NHWC, in ONNX's order, or in either."""

    nhwc: Function | None = None
    onnx: Function | None = None

    def __call__(self, inputs: Sequence[Value | Picture], attributes: Attributes) -> list[Value | Picture]:
        """The outputs, made in NHWC where that costs nothing or there is no other way. Raises UnsupportedError."""
        pictures = [value for value in inputs if isinstance(value, Picture)]
        is_mixed = any(isinstance(value, tf.Tensor) for value in inputs)
        is_ready = bool(pictures) and not is_mixed and all(picture.has_nhwc for picture in pictures)
        if self.nhwc and (is_ready or not self.onnx):
            results = self.nhwc([each.nhwc if isinstance(each, Picture) else each for each in inputs], attributes)
            return [Picture(nhwc=result) if len(result.shape) == 4 else result for result in results]
        assert self.onnx is not None
        results = self.onnx([each.onnx if isinstance(each, Picture) else each for each in inputs], attributes)
        return [Picture(onnx=result) if len(result.shape) == 4 else result for result in results]


def transpose(value: Value | Picture, perm: Sequence[int]) -> Value | Picture:
    """ONNX's Transpose, which for a picture is often but another name."""
    return value.transposed(perm) if isinstance(value, Picture) else tf.transpose(value, perm)


def _elementwise(function: Callable[..., tf.Tensor]) -> Operator:
    return Operator(lambda inputs, _: [function(*aligned(inputs))], lambda inputs, _: [function(*inputs)])


def _by_value(function: Function) -> Operator:
    """Of a function that looks at each value alone: the layout does not matter."""
    return Operator(function, function)


def _along_axes(function: Callable[[Inputs, Attributes, Place], list[Value]]) -> Operator:
    return Operator(
        lambda inputs, attributes: function(inputs, attributes, nhwc_place),
        lambda inputs, attributes: function(inputs, attributes, onnx_place),
    )


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


def _prelu(x: tf.Tensor, slope: Value) -> tf.Tensor:
    return tf.nn.relu(x) - slope * tf.nn.relu(-x)


def _l2_norm(x: tf.Tensor, axis: list[int], *, keepdims: bool) -> tf.Tensor:
    return tf.sqrt(tf.reduce_sum(tf.square(x), axis, keepdims=keepdims))


def _gelu(inputs: Inputs, attributes: Attributes) -> list[Value]:
    x = inputs[0]
    if attributes.get("approximate", b"none") == b"tanh":
        return [tf.nn.gelu(x, approximate=True)]
    # tf.nn.gelu takes erfc, which TensorFlow.js has not.
    return [0.5 * x * (1 + tf.math.erf(x * np.float32(np.sqrt(0.5))))]


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


OPERATORS: dict[str, Operator] = {
    "Add": _elementwise(tf.add),
    "AveragePool": Operator(nhwc=lambda inputs, attributes: [average_pool(inputs[0], attributes)]),
    "BatchNormalization": Operator(nhwc=_batch_normalization),
    "Clip": _by_value(_clip),
    "Concat": _along_axes(axes.concat),
    "Conv": Operator(nhwc=lambda inputs, attributes: [convolve(inputs[0], inputs[1:], attributes)]),
    "Div": _elementwise(tf.divide),
    "Dropout": _by_value(lambda inputs, _: [inputs[0]]),
    "Erf": _elementwise(tf.math.erf),
    "Exp": _elementwise(tf.exp),
    "Expand": Operator(onnx=arrays.expand),
    "Flatten": Operator(onnx=arrays.flatten),
    "Gather": Operator(onnx=arrays.gather),
    "Gelu": _by_value(_gelu),
    "Gemm": Operator(onnx=arrays.gemm),
    "GlobalAveragePool": Operator(nhwc=_global_average_pool),
    "HardSigmoid": _by_value(_hard_sigmoid),
    "HardSwish": _by_value(_hard_swish),
    "Identity": _by_value(lambda inputs, _: [inputs[0]]),
    "LayerNormalization": Operator(onnx=arrays.layer_normalization),
    "LeakyRelu": _by_value(_leaky_relu),
    "MatMul": Operator(onnx=arrays.matmul),
    "MaxPool": Operator(nhwc=lambda inputs, attributes: [max_pool(inputs[0], attributes)]),
    "Mul": _elementwise(tf.multiply),
    "PRelu": _elementwise(_prelu),
    "Pad": _along_axes(axes.pad),
    "ReduceL2": _along_axes(axes.reducing(_l2_norm)),
    "ReduceMean": _along_axes(axes.reducing(tf.reduce_mean)),
    "ReduceSum": _along_axes(axes.reducing(tf.reduce_sum)),
    "Relu": _elementwise(tf.nn.relu),
    "Reshape": Operator(onnx=arrays.reshape),
    "Resize": Operator(nhwc=lambda inputs, attributes: [resize(inputs, attributes)]),
    "Sigmoid": _elementwise(tf.sigmoid),
    "Slice": _along_axes(axes.slice_),
    "Softmax": Operator(onnx=arrays.softmax),
    "Split": _along_axes(axes.split),
    "Sqrt": _elementwise(tf.sqrt),
    "Squeeze": Operator(onnx=arrays.squeeze),
    "Sub": _elementwise(tf.subtract),
    "Tanh": _elementwise(tf.tanh),
    "Unsqueeze": Operator(onnx=arrays.unsqueeze),
}
"""By ONNX name. A student may use these, `Shape`, `Transpose`, and whatever needs no image, which is computed here."""
