"""What the export wants of PyTorch. The function loads it, not the import: call it through `run_isolated`."""

from pathlib import Path

import numpy as np


def export_trained(student: Path, onnx_file: Path, images: np.ndarray) -> np.ndarray:
    """Write the ONNX file of the network in `student`, and return the logits [num_images, classes] that count.

    `images` float32 [num_images, height, width, 3], normalised.
    """
    from fieldguide.learn.onnx_export import export_onnx, predict_reference

    export_onnx(student, onnx_file)
    return predict_reference(student, images.transpose(0, 3, 1, 2))
