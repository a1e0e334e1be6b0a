"""SavedModel to LiteRT (.tflite), by TensorFlow's own converter, and that file's answers.

TensorFlow is loaded by the functions, not by the import: call them through `run_isolated`.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.errors import ExportError
from fieldguide.export.saved_model import SIGNATURE
from fieldguide.files import written_whole

TFLITE_FILE = "student.tflite"


def write_tflite(saved_model: Path, out: Path) -> None:
    """Convert a SavedModel, with float32 weights, to the file `out`, the same bytes every time.

    Raises ExportError naming the operations that LiteRT lacks.
    """
    from fieldguide.records.quiet_tensorflow import tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model), signature_keys=[SIGNATURE])
    try:
        content = converter.convert()
    except Exception as error:  # the converter's own class is not public
        lacking = [line.strip() for line in str(error).splitlines() if line.strip().startswith("tf.")]
        raise ExportError(
            f"{out.name}: LiteRT has no {', '.join(lacking) or 'conversion'}; export_tfjs.tflite false leaves it out"
        ) from None
    with written_whole(out) as temporary:
        temporary.write_bytes(content)


def predict_tflite(file: Path, images: np.ndarray) -> np.ndarray:
    """Logits [num_images, classes] of float32 images [num_images, height, width, 3], normalised."""
    from fieldguide.export.graph import INPUT, OUTPUT
    from fieldguide.records.quiet_tensorflow import tf

    with warnings.catch_warnings():
        # It has moved to a package of its own, which is one more to install for the same code.
        warnings.simplefilter("ignore")
        interpreter: Any = tf.lite.Interpreter(model_path=str(file))
    logits: np.ndarray = interpreter.get_signature_runner(SIGNATURE)(**{INPUT: images})[OUTPUT]
    return logits
