"""SavedModel to TensorFlow.js graph model, by TensorFlow's own converter.

TensorFlow is loaded by the functions, not by the import: call them through `run_isolated`.

The converter imports decision forests and JAX at its top and uses neither for a SavedModel; we lend it empty modules
instead of installing gigabytes (docs/decisions.md).
"""

import contextlib
import io
import json
import shutil
import sys
import tempfile
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.export.class_map import write_explanation
from fieldguide.export.params import ExportTfjsParams, Quantization
from fieldguide.export.saved_model import SIGNATURE, predict_saved_model, write_saved_model
from fieldguide.export.storage import MIN_BYTE_WEIGHTS, is_in_bytes, storage_of
from fieldguide.export.tflite import TFLITE_FILE, predict_tflite, write_tflite

ONNX_FILE, SAVED_MODEL, MODEL_FILE = "student.onnx", "saved_model", "model.json"


def convert(
    folder: Path, stored: Path, bundle: Path, params: ExportTfjsParams, images: np.ndarray
) -> dict[str, np.ndarray]:
    """All that a stage wants of TensorFlow, so that one process loads it once.

    Writes saved_model/ and, if asked for, student.tflite of the student.onnx in `folder` there, and the graph model to
    `bundle`. That is made of `stored`: student.onnx, or a file with weights rounded beforehand. Returns the logits of
    `images` by runtime.
    """
    onnx_file, saved_model = folder / ONNX_FILE, folder / SAVED_MODEL
    write_saved_model(onnx_file, saved_model)
    answers = {"tensorflow": predict_saved_model(saved_model, images)}
    if params.tflite:
        write_tflite(saved_model, folder / TFLITE_FILE)
        answers["tflite"] = predict_tflite(folder / TFLITE_FILE, images)
    if stored == onnx_file:
        write_graph_model(saved_model, bundle, params.quantization)
    else:
        with tempfile.TemporaryDirectory(prefix="fieldguide-") as scratch:
            write_saved_model(stored, Path(scratch) / SAVED_MODEL)
            write_graph_model(Path(scratch) / SAVED_MODEL, bundle, params.quantization)
    write_explanation(bundle, stored)
    return answers


def write_graph_model(saved_model: Path, out: Path, quantization: Quantization) -> None:
    """Write `model.json` and `group1-shard*of*.bin` into `out`, replacing those of an earlier run, model.json last."""
    with tempfile.TemporaryDirectory(prefix=".tfjs-", dir=out) as scratch:
        written = Path(scratch)
        _convert(saved_model, written, {"float16": True} if quantization == "float16" else None)
        if quantization in MIN_BYTE_WEIGHTS:
            names = weights_in_bytes(json.loads((written / MODEL_FILE).read_bytes()), quantization)
            shutil.rmtree(written)
            _convert(saved_model, written, {"uint8": names, "float16": True})
        # Protocol buffers print their maps in any order; sorted keys make the bytes depend on the network alone.
        model = json.loads((written / MODEL_FILE).read_bytes())
        (written / MODEL_FILE).write_text(json.dumps(model, sort_keys=True, separators=(",", ":")), encoding="utf-8")
        for stale in (out / MODEL_FILE, *sorted(out.glob("group1-shard*of*.bin*"))):
            stale.unlink(missing_ok=True)
        for file in sorted(written.iterdir(), key=lambda file: (file.name == MODEL_FILE, file.name)):
            file.replace(out / file.name)


def weights_in_bytes(model: dict[str, Any], quantization: Quantization) -> list[str]:
    """Names of the weights in a model.json that are to be stored in bytes."""
    weights = [weight for group in model["weightsManifest"] for weight in group["weights"]]
    return [weight["name"] for weight in weights if is_in_bytes(storage_of(quantization, weight["shape"]))]


def _convert(saved_model: Path, out: Path, quantization_dtype_map: dict[str, Any] | None) -> None:
    from fieldguide.records.quiet_tensorflow import tf

    with lent_modules(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorflowjs.converters.tf_saved_model_conversion_v2 import convert_tf_saved_model

        # It prints a progress report that nobody reads; errors are exceptions.
        with contextlib.redirect_stdout(io.StringIO()), tf.Graph().as_default(), only_vectors_are_biases():
            convert_tf_saved_model(
                str(saved_model),
                str(out),
                signature_def=SIGNATURE,
                quantization_dtype_map=quantization_dtype_map,
            )


@contextlib.contextmanager
def only_vectors_are_biases() -> Iterator[None]:
    """Keep the converter from taking every Add behind a convolution or a matrix for its bias.

    It does so whatever is added: a scalar, another image (a residual), a value per pixel. TensorFlow.js then fuses that
    into the convolution and fails when it runs. A bias is a constant vector; all other Adds stay what they are.
    """
    from tensorflowjs.converters import normalize_bias_add

    original = normalize_bias_add.normalize_bias_add_op

    def normalize(graph: Any) -> Any:
        nodes = {node.name: node for node in graph.node}
        sums = [node for node in graph.node if node.op in ("Add", "AddV2") and not _is_vector(nodes, node.input[1])]
        hidden = {node.name: node.op for node in sums}
        for node in sums:
            node.op = "Sum of two images"
        normalized = original(graph)
        for node in normalized.node:
            node.op = hidden.get(node.name, node.op)
        return normalized

    normalize_bias_add.normalize_bias_add_op = normalize
    try:
        yield
    finally:
        normalize_bias_add.normalize_bias_add_op = original


def _is_vector(nodes: dict[str, Any], tensor: str) -> bool:
    node = nodes.get(tensor.removesuffix(":0"))
    return node is not None and node.op == "Const" and len(node.attr["value"].tensor.tensor_shape.dim) == 1


@contextlib.contextmanager
def lent_modules() -> Iterator[None]:
    """Empty stand-ins for what the converter imports and never uses; removed again afterwards."""
    jax2tf = types.ModuleType("jax.experimental.jax2tf")
    jax2tf.PolyShape = object  # type: ignore[attr-defined]
    experimental = types.ModuleType("jax.experimental")
    experimental.jax2tf = jax2tf  # type: ignore[attr-defined]
    jax = types.ModuleType("jax")
    jax.experimental = experimental  # type: ignore[attr-defined]
    forests = types.ModuleType("tensorflow_decision_forests")
    lent = {each.__name__: each for each in (forests, jax, experimental, jax2tf) if each.__name__ not in sys.modules}
    sys.modules.update(lent)
    try:
        yield
    finally:
        for name in lent:
            del sys.modules[name]
