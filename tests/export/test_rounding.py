"""Learned rounding: better than the nearest step, for every kind of kernel, and final."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from fieldguide.export.onnx_graph import read_onnx, write_onnx
from fieldguide.export.rounding import learn_rounding
from fieldguide.export.storage import byte_range, round_trip, store
from tests.export import making
from tests.export.making import run_onnx, weights

SIDE = 7


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
def test_answers_change_less_than_by_the_nearest_step(
    operator: str, kernel: np.ndarray, attributes: dict[str, Any], share: float, tmp_path: Path
) -> None:
    images = photos()
    node = helper.make_node(operator, ["image", "kernel"], ["y"], **attributes)
    file = making.write_onnx(tmp_path / "float.onnx", [node], {"kernel": kernel}, SIDE, 24)
    graph, answers = read_onnx(file), run_onnx(file, images)
    rounded = learn_rounding(graph, images)
    errors = {}
    for name, given in {"nearest": {}, "learned": rounded}.items():
        write_onnx(store(graph, "uint8", given)[0], tmp_path / f"{name}.onnx")
        errors[name] = np.square(run_onnx(tmp_path / f"{name}.onnx", images) - answers).mean()
    assert errors["learned"] < share * errors["nearest"]
    assert byte_range(rounded["kernel"]) == pytest.approx(byte_range(kernel), rel=1e-2)
    np.testing.assert_allclose(round_trip(rounded["kernel"], "uint8"), rounded["kernel"], atol=1e-5)


def test_depthwise_and_grouped_kernels_are_left_out(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["image", "kernel"], ["y"], group=2)
    file = making.write_onnx(tmp_path / "grouped.onnx", [node], {"kernel": weights(200, 12, 1, 1)}, SIDE, 24)
    assert learn_rounding(read_onnx(file), photos()) == {}
