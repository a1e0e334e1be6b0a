"""The exported graph: few operators, any batch, the same answers, the same bytes each time."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from fieldguide.learn.network import save_network
from fieldguide.learn.onnx_export import export_onnx, predict_reference
from tests.learn.making import make_network


@pytest.mark.slow
@pytest.mark.parametrize("args", [{}, {"pad_type": "same"}])
def test_exported_graph_answers_like_the_network(tmp_path: Path, args: dict[str, str]):
    network = make_network(architecture_args=args, image_size=48)
    network.module.train()
    with torch.no_grad():
        # BatchNorm statistics that folding must not lose.
        network.module(torch.randn(16, 3, 48, 48, generator=torch.Generator().manual_seed(0)))
    save_network(network, tmp_path)
    export_onnx(tmp_path, tmp_path / "a.onnx")

    graph = onnx.load(tmp_path / "a.onnx").graph
    assert {node.op_type for node in graph.node} == {"Conv", "Clip", "Add", "ReduceMean", "Reshape", "Gemm"}
    assert [value.name for value in (*graph.input, *graph.output)] == ["image", "logits"]
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    for batch in (1, 3):
        images = np.random.default_rng(batch).standard_normal((batch, 3, 48, 48)).astype(np.float32)
        (found,) = session.run(None, {"image": images})
        np.testing.assert_allclose(found, predict_reference(tmp_path, images), atol=1e-4)

    export_onnx(tmp_path, tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    # No file name of the machine that it was made on.
    assert str(Path(__file__).parents[2]).encode() not in (tmp_path / "a.onnx").read_bytes()
