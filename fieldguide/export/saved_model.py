"""ONNX to TensorFlow SavedModel, and the SavedModel's answers.

TensorFlow is loaded by the functions, not by the import: call them through `run_isolated`.
"""

import shutil
from pathlib import Path

import numpy as np

from fieldguide.export.onnx_graph import read_onnx

SIGNATURE = "serving_default"

UNREPRODUCIBLE = ("fingerprint.pb", "debug")
"""Optional parts of a SavedModel that hold a random number and this machine's paths."""


def write_saved_model(onnx_file: Path, out: Path) -> None:
    """Convert `onnx_file` to a SavedModel directory `out`, whole or not at all, the same bytes every time.

    Raises ExportError where an operator has no TensorFlow counterpart.
    """
    from fieldguide.export.graph import Network
    from fieldguide.records.quiet_tensorflow import tf

    network = Network(read_onnx(onnx_file))
    temporary = out.with_name(f".{out.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    options = tf.saved_model.SaveOptions(save_debug_info=False)
    tf.saved_model.save(network, str(temporary), signatures={SIGNATURE: network.answer}, options=options)
    for name in UNREPRODUCIBLE:
        path = temporary / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    shutil.rmtree(out, ignore_errors=True)
    temporary.replace(out)


def predict_saved_model(saved_model: Path, images: np.ndarray) -> np.ndarray:
    """Logits [num_images, classes] of float32 images [num_images, height, width, 3], normalised."""
    from fieldguide.export.graph import INPUT, OUTPUT
    from fieldguide.records.quiet_tensorflow import tf

    answer = tf.saved_model.load(str(saved_model)).signatures[SIGNATURE]
    logits: np.ndarray = answer(**{INPUT: tf.constant(images)})[OUTPUT].numpy()
    return logits
