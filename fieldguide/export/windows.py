"""Operators that slide a window over an image: convolutions and pools, with ONNX's padding rules."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fieldguide.export.layout import UnsupportedError, Value, constant
from fieldguide.records.quiet_tensorflow import tf

Attributes = dict[str, Any]

Pads = tuple[int, int, int, int]
"""Top, left, bottom, right in px, as ONNX orders them."""


def convolve(x: tf.Tensor, weights: Sequence[Value], attributes: Attributes) -> tf.Tensor:
    """ONNX's Conv over [batch, height, width, channels], plain, depthwise or grouped."""
    kernel = constant(weights[0], "the kernel")
    if kernel.ndim != 4:
        raise UnsupportedError(f"the kernel has rank {kernel.ndim}; allowed is 4")
    groups = attributes.get("group", 1)
    strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    if max(strides) > 1 and max(dilations) > 1:
        raise UnsupportedError(f"strides {strides} with dilations {dilations}; allowed is one of them above 1")
    pads = _pads(x, kernel.shape[2:], attributes)
    padding = "VALID"
    if any(pads):
        # A separate Pad costs a copy; explicit padding inside a depthwise convolution aborts TensorFlow 2.21.
        same = _pads(x, kernel.shape[2:], {**attributes, "auto_pad": b"SAME_UPPER"})
        x, padding = (x, "SAME") if pads == same else (_pad(x, pads, 0.0), "VALID")
    if groups == 1:
        y = tf.nn.conv2d(x, _hwio(kernel), strides, padding, dilations=dilations)
    elif groups == x.shape[3]:
        y = _depthwise(x, kernel, strides, padding, dilations)
    else:
        # TensorFlow.js knows no grouped convolution: one convolution a group.
        parts = tf.split(x, groups, axis=3)
        kernels = np.split(kernel, groups, axis=0)
        y = tf.concat(
            [
                tf.nn.conv2d(part, _hwio(each), strides, padding, dilations=dilations)
                for part, each in zip(parts, kernels, strict=True)
            ],
            axis=3,
        )
    bias = weights[1] if len(weights) > 1 else None
    return y if bias is None else tf.nn.bias_add(y, constant(bias, "the bias"))


def max_pool(x: tf.Tensor, attributes: Attributes) -> tf.Tensor:
    """ONNX's MaxPool; padding is never the maximum."""
    kernel, strides = _window(attributes)
    pads = _covered(x, kernel, strides, _pads(x, kernel, attributes), attributes)
    # TensorFlow.js pools have no explicit padding, and -inf has no place in float16 textures.
    return tf.nn.max_pool2d(_pad(x, pads, float(np.finfo(np.float16).min)), kernel, strides, "VALID")


def average_pool(x: tf.Tensor, attributes: Attributes) -> tf.Tensor:
    """ONNX's AveragePool, with or without the padding in the mean."""
    kernel, strides = _window(attributes)
    pads = _pads(x, kernel, attributes)
    covered = _covered(x, kernel, strides, pads, attributes)
    means = tf.nn.avg_pool2d(_pad(x, covered, 0.0), kernel, strides, "VALID")
    counted = np.ones(x.shape[1:3], np.float32)
    inner = pads if attributes.get("count_include_pad", 0) else (0, 0, 0, 0)
    counted = np.pad(counted, ((inner[0], inner[2]), (inner[1], inner[3])), constant_values=1)
    outer = [whole - part for whole, part in zip(covered, inner, strict=True)]
    counted = np.pad(counted, ((outer[0], outer[2]), (outer[1], outer[3])))
    if counted.all():
        return means
    windows = np.lib.stride_tricks.sliding_window_view(counted, kernel)[:: strides[0], :: strides[1]]
    return means * (1 / windows.mean(axis=(2, 3)))[None, :, :, None]


def resize(inputs: Sequence[Value], attributes: Attributes) -> tf.Tensor:
    """ONNX's Resize of [batch, height, width, channels] as PyTorch's `interpolate` asks for it: nearest or bilinear."""
    x = inputs[0]
    name = "sizes" if len(inputs) > 3 and inputs[3] is not None else "scales"
    asked = constant(inputs[3] if name == "sizes" else inputs[2], name)[2:]
    size = [int(each if name == "sizes" else each * old) for each, old in zip(asked, x.shape[1:3], strict=True)]
    mode, coordinates, rounding = (
        attributes.get(name, default).decode()
        for name, default in (
            ("mode", b"nearest"),
            ("coordinate_transformation_mode", b"half_pixel"),
            ("nearest_mode", b"round_prefer_floor"),
        )
    )
    if (mode, coordinates, rounding) == ("nearest", "asymmetric", "floor"):
        return tf.raw_ops.ResizeNearestNeighbor(images=x, size=size)
    if mode == "linear" and coordinates in ("half_pixel", "pytorch_half_pixel") and not attributes.get("antialias", 0):
        return tf.raw_ops.ResizeBilinear(images=x, size=size, half_pixel_centers=True)
    raise UnsupportedError(
        f"mode {mode}, {coordinates}, {rounding}; allowed are nearest, asymmetric, floor, and linear, half_pixel"
    )


def _hwio(kernel: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(kernel.transpose(2, 3, 1, 0))


def _depthwise(
    x: tf.Tensor, kernel: np.ndarray, strides: Sequence[int], padding: str, dilations: Sequence[int]
) -> tf.Tensor:
    if strides[0] != strides[1]:
        raise UnsupportedError(f"a depthwise convolution with strides {strides}; allowed are equal ones")
    channels, multiplier = x.shape[3], kernel.shape[0] // x.shape[3]
    height, width = kernel.shape[2:]
    kernel = kernel.reshape(channels, multiplier, height, width).transpose(2, 3, 0, 1)
    return tf.nn.depthwise_conv2d(
        x, np.ascontiguousarray(kernel), [1, *strides, 1], padding, dilations=None if max(dilations) == 1 else dilations
    )


def _window(attributes: Attributes) -> tuple[list[int], list[int]]:
    if max(attributes.get("dilations", [1])) > 1:
        raise UnsupportedError(f"a pool with dilations {attributes['dilations']}; allowed is 1")
    kernel = list(attributes["kernel_shape"])
    return kernel, list(attributes.get("strides", [1] * len(kernel)))


def _pads(x: tf.Tensor, kernel: Sequence[int], attributes: Attributes) -> Pads:
    """The padding that a node asks for, its `auto_pad` resolved for the size of `x`."""
    mode = attributes.get("auto_pad", b"NOTSET").decode()
    if mode == "NOTSET":
        top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
        return top, left, bottom, right
    if mode == "VALID":
        return 0, 0, 0, 0
    strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    befores, afters = [], []
    for axis in range(2):
        size, extent = x.shape[axis + 1], (kernel[axis] - 1) * dilations[axis] + 1
        total = max(0, (-(-size // strides[axis]) - 1) * strides[axis] + extent - size)
        befores.append(total // 2 if mode == "SAME_UPPER" else total - total // 2)
        afters.append(total - befores[-1])
    return befores[0], befores[1], afters[0], afters[1]


def _covered(x: tf.Tensor, kernel: Sequence[int], strides: Sequence[int], pads: Pads, attributes: Attributes) -> Pads:
    """`pads` grown at the bottom and right so that `ceil_mode` windows lie inside; none starts in the padding."""
    if not attributes.get("ceil_mode", 0):
        return pads
    grown = []
    for axis in range(2):
        size, before, after = x.shape[axis + 1], pads[axis], pads[axis + 2]
        steps = -(-(size + before + after - kernel[axis]) // strides[axis])
        if steps * strides[axis] >= size + before:
            steps -= 1
        grown.append(max(after, steps * strides[axis] + kernel[axis] - size - before))
    return pads[0], pads[1], grown[0], grown[1]


def _pad(x: tf.Tensor, pads: Pads, fill: float) -> tf.Tensor:
    if not any(pads):
        return x
    return tf.pad(x, [[0, 0], [pads[0], pads[2]], [pads[1], pads[3]], [0, 0]], constant_values=fill)
