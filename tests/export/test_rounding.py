"""Learned rounding: better than the nearest step, for every kind of kernel, and final."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from onnx import helper

from fieldguide.export.onnx_graph import read_onnx, write_onnx
from fieldguide.export.rounding import learn_rounding, round_rows
from fieldguide.export.storage import byte_range, round_trip, store
from tests.export import making
from tests.export.making import run_onnx, weights

SIDE = 7


@pytest.fixture(autouse=True)
def _small_kernels_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldguide.export.storage.MIN_UINT7_WEIGHTS", 1_000)


def photos() -> np.ndarray:
    """Inputs that hang together, as those of a trained network do: float32 [12, SIDE, SIDE, 24]."""
    rng = np.random.default_rng(3)
    causes = rng.normal(size=(12, SIDE, SIDE, 6))
    mixed = causes @ rng.normal(size=(6, 24)) + 0.1 * rng.normal(size=(12, SIDE, SIDE, 24)) + 1
    return mixed.astype(np.float32)


@pytest.mark.parametrize(
    ("operator", "kernel", "attributes", "share"),
    [
        ("Conv", weights(50, 24, 1, 1), {}, 0.6),
        ("Conv", weights(8, 24, 3, 3), {"pads": [1, 1, 1, 1], "strides": [2, 2]}, 0.6),
        ("Conv", weights(8, 24, 3, 2), {"pads": [0, 1, 2, 1], "dilations": [2, 1]}, 0.6),
        # Pixels of a row have little in common here, so there is little to make up for.
        ("MatMul", weights(SIDE, 200), {}, 1.0),
    ],
)
@pytest.mark.parametrize("quantization", ["uint8", "uint7"])
def test_answers_change_less_than_by_the_nearest_step(
    operator: str,
    kernel: np.ndarray,
    attributes: dict[str, Any],
    share: float,
    quantization: Literal["uint8", "uint7"],
    tmp_path: Path,
) -> None:
    images = photos()
    node = helper.make_node(operator, ["image", "kernel"], ["y"], **attributes)
    file = making.write_onnx(tmp_path / "float.onnx", [node], {"kernel": kernel}, SIDE, 24)
    graph, answers = read_onnx(file), run_onnx(file, images)
    rounded = learn_rounding(graph, images, quantization)
    errors = {}
    for name, given in {"nearest": {}, "learned": rounded}.items():
        write_onnx(store(graph, quantization, given)[0], tmp_path / f"{name}.onnx")
        errors[name] = np.square(run_onnx(tmp_path / f"{name}.onnx", images) - answers).mean()
    assert errors["learned"] < share * errors["nearest"]
    assert byte_range(rounded["kernel"]) == pytest.approx(byte_range(kernel), rel=1e-2)
    np.testing.assert_allclose(round_trip(rounded["kernel"], quantization), rounded["kernel"], atol=1e-5)


def test_depthwise_and_grouped_kernels_are_left_out(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["image", "kernel"], ["y"], group=2)
    file = making.write_onnx(tmp_path / "grouped.onnx", [node], {"kernel": weights(200, 12, 1, 1)}, SIDE, 24)
    assert learn_rounding(read_onnx(file), photos(), "uint8") == {}


CHAIN = [
    helper.make_node("Conv", ["image", "first", "shared"], ["a"], pads=[1, 1, 1, 1]),
    helper.make_node("Relu", ["a"], ["b"]),
    helper.make_node("Conv", ["b", "second", "own"], ["c"]),
    helper.make_node("Add", ["c", "image"], ["d"]),
    helper.make_node("Conv", ["d", "third", "shared"], ["e"]),
]
CONSTANTS = {
    "first": weights(60, 24, 3, 3, seed=1) / 10,
    "second": weights(24, 60, 1, 1, seed=2) / 10,
    "third": weights(60, 24, 1, 1, seed=3),
    "shared": weights(60),
    "own": weights(24),
}


CONSTANTS["first"][0, 0, 0, 0] = 8  # so its steps are coarse, and there is something to make up for


def write_chain(path: Path, num_nodes: int, constants: dict[str, np.ndarray]) -> Path:
    """The first nodes of CHAIN."""
    taken = {name for node in CHAIN[:num_nodes] for name in node.input}
    given = {name: value for name, value in constants.items() if name in taken}
    return making.write_onnx(path, CHAIN[:num_nodes], given, SIDE, 24)


def test_a_kernel_and_its_bias_make_up_for_the_kernels_before(tmp_path: Path) -> None:
    images = photos()
    rounded = learn_rounding(read_onnx(write_chain(tmp_path / "chain.onnx", 5, CONSTANTS)), images, "uint7")
    assert rounded.keys() == {
        "first",
        "second",
        "third",
        "own",
    }  # two kernels have `shared`, so it makes up for neither

    exact = write_chain(tmp_path / "exact.onnx", 3, CONSTANTS)
    inputs = run_onnx(write_chain(tmp_path / "before.onnx", 2, CONSTANTS), images)
    rows = inputs.reshape(len(images), 60, -1).transpose(0, 2, 1).reshape(-1, 60).astype(np.float64)
    kernel = round_rows(CONSTANTS["second"].reshape(24, 60), rows.T @ rows, "uint7").reshape(24, 60, 1, 1)
    errors = {}
    for name, given in {"alone": {"first": rounded["first"], "second": kernel}, "together": rounded}.items():
        file = write_chain(tmp_path / f"{name}.onnx", 3, CONSTANTS | given)
        errors[name] = (run_onnx(file, images) - run_onnx(exact, images)).reshape(len(images), 24, -1)
    assert np.square(errors["together"]).mean() < 0.8 * np.square(errors["alone"]).mean()
    np.testing.assert_allclose(errors["together"].mean(axis=(0, 2)), 0, atol=1e-3)


@pytest.mark.parametrize(
    ("attributes", "bias", "is_learned"),
    [
        ({}, weights(200), True),
        ({}, weights(1, 200), True),
        ({}, weights(1), True),  # of all outputs: it makes up for none
        ({"alpha": 0.25}, weights(200), False),
        ({"beta": 0.5}, weights(200), False),
    ],
)
def test_a_matrix_with_a_bias_of_any_shape(
    attributes: dict[str, float], bias: np.ndarray, is_learned: bool, tmp_path: Path
) -> None:
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("Gemm", ["flat", "kernel", "bias"], ["y"], **attributes),
    ]
    constants = {"kernel": weights(24, 200), "bias": bias}
    graph = read_onnx(making.write_onnx(tmp_path / "gemm.onnx", nodes, constants, 1, 24))
    rounded = learn_rounding(graph, photos()[:, :1, :1], "uint7")
    assert ("kernel" in rounded) == is_learned
    stored, _ = store(graph, "uint7", rounded)
    assert stored.constants["bias"].shape == bias.shape
    assert ("bias" in rounded) == (is_learned and bias.size > 1)


def test_a_product_of_constants_is_left_to_the_conversion(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["left", "kernel"], ["product"]),
        helper.make_node("Add", ["image", "product"], ["y"]),
    ]
    constants = {"left": weights(SIDE, 200), "kernel": weights(200, SIDE)}
    graph = read_onnx(making.write_onnx(tmp_path / "constant.onnx", nodes, constants, SIDE, 24))
    assert learn_rounding(graph, photos(), "uint7") == {}
