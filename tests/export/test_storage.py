"""Which weights are stored in what, and what remains of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.export.onnx_graph import Node, OnnxGraph
from fieldguide.export.params import Quantization
from fieldguide.export.quantization import propose
from fieldguide.export.storage import (
    QUANTIZATIONS,
    STRIDES,
    Storage,
    byte_range,
    encode,
    round_trip,
    storage_of,
    store,
)
from tests.export.making import weights


@pytest.mark.parametrize(
    ("shape", "by_kind"),
    [
        ((1, 1, 200, 100), ("float32", "float16", "uint8", "uint8", "uint7")),
        ((1, 1, 40, 100), ("float32", "float16", "float16", "uint8", "uint8")),
        ((1280, 22), ("float32", "float16", "uint8", "uint8", "uint7")),
        ((3, 3, 64, 64), ("float32", "float16", "float16", "uint8", "uint7")),
        ((3, 3, 3, 16), ("float32", "float16", "float16", "float16", "float16")),
        ((3, 3, 4000, 1), ("float32", "float16", "float16", "float16", "float16")),
        ((30_000,), ("float32", "float16", "float16", "float16", "float16")),
        ((1, 197, 192), ("float32", "float16", "float16", "float16", "float16")),
        ((), ("float32", "float16", "float16", "float16", "float16")),
    ],
)
def test_what_a_tensor_is_stored_in(shape: Sequence[int], by_kind: tuple[str, ...]) -> None:
    assert tuple(storage_of(kind, shape) for kind in QUANTIZATIONS) == by_kind


@given(st.sampled_from(["uint8", "uint7"]), st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_a_byte_is_off_by_half_a_step_and_says_zero_exactly(storage: Storage, seed: int, shift: float) -> None:
    value = (np.random.default_rng(seed).normal(size=(8, 9)) + shift).astype(np.float32)
    value[0, 0] = 0
    _, step = byte_range(value)
    stored = round_trip(value, storage)
    # The range moves by up to half a step, so that zero is in it.
    assert np.abs(stored - value).max() <= step * (STRIDES[storage] + 1.01) / 2
    np.testing.assert_allclose(round_trip(stored, storage), stored, atol=1e-6)
    assert stored[0, 0] == pytest.approx(0, abs=1e-6)
    # TensorFlow.js's converter takes all steps: what uses every second one is the same to it.
    np.testing.assert_array_equal(encode(stored, "uint8"), encode(value, storage))


def test_of_every_second_step_a_byte_has_half_as_many_values() -> None:
    codes = np.unique(encode(weights(100, 100), "uint7"))
    assert len(codes) <= 130
    assert {0, 255} <= set(codes.tolist())


def test_equal_weights_stay_as_they_are() -> None:
    np.testing.assert_array_equal(round_trip(np.full((3, 3), 0.3, np.float32), "uint8"), np.float32(0.3))


def test_groups_are_stored_one_by_one_as_they_are_converted() -> None:
    kernel = np.concatenate([weights(60, 6, 3, 3), 100 * weights(60, 6, 3, 3, seed=1)])
    node = Node("Conv", ("image", "kernel", "bias"), ("y",), {"group": 2})
    constants = {"kernel": kernel, "bias": weights(120), "shape": np.array([0, -1])}
    graph = OnnxGraph(Path("x.onnx"), "image", (12, 9, 9), "y", (node,), constants)
    stored, content = store(graph, "uint8")
    assert len(content) == kernel.size + 2 * 120
    small, large = np.split(np.abs(stored.constants["kernel"] - kernel), 2)
    assert small.max() < 0.05 < large.max()
    assert len(store(graph, "none")[1]) == 4 * (kernel.size + 120)
    given_rounding, _ = store(graph, "uint8", {"kernel": kernel[::-1]})
    assert np.abs(given_rounding.constants["kernel"][60:] - kernel[:60][::-1]).max() < 0.05


@pytest.mark.parametrize(
    ("top1", "proposed"),
    [
        ((0.86, 0.86, 0.86, 0.86, 0.86), "uint7"),
        ((0.86, 0.86, 0.855, 0.85, 0.85), "mixed"),
        ((0.86, 0.87, 0.85, 0.85, 0.85), "float16"),
        ((0.86, 0.85, 0.85, 0.85, 0.85), "none"),
        ((0.86, 0.85, 0.85, 0.88, 0.85), "uint8"),
    ],
)
def test_the_smallest_that_is_good_enough_is_proposed(top1: tuple[float, ...], proposed: Quantization) -> None:
    rows = zip(QUANTIZATIONS, top1, (8.9, 4.5, 2.4, 2.3, 2.0), strict=True)
    table = {name: {"top1": rate, "megabytes": megabytes} for name, rate, megabytes in rows}
    assert propose(table, 0.005) == proposed
