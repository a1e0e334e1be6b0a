"""answers.json: a square whose logits are known, so that whoever has the model files can prove a runtime by it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from fieldguide.errors import ExportError
from fieldguide.export.inputs import normalise_squares
from fieldguide.export.model_files import ModelFile, Preprocessing

TOLERANCE = 0.001
"""Of the largest logit: weights are float32 in every file beside it."""


class Answers(ModelFile):
    """answers.json: the network's own answer to the test square, whose pixels a formula gives."""

    record_size: PositiveInt
    """Side of the square, px."""
    logits: list[float]
    """In the order of labels.json, all ranks."""
    tolerance: PositiveFloat
    """By how much a logit may be off."""

    @classmethod
    def of(cls, record_size: int, logits: np.ndarray) -> "Answers":
        """From the logits [classes] of PyTorch."""
        tolerance = TOLERANCE * max(1.0, float(np.abs(logits).max()))
        rounded = [float(f"{logit:.6g}") for logit in logits]
        return cls(record_size=record_size, logits=rounded, tolerance=float(f"{tolerance:.3g}"))


def draw_test_square(side: int) -> np.ndarray:
    """The square that the page tests itself with (web/preprocess.js): uint8 [side, side, 3], three gradients."""
    x, y = np.meshgrid(np.arange(side, dtype=np.float64), np.arange(side, dtype=np.float64))
    gradients = np.stack([x * 255, y * 255, (x + y) * 127], axis=-1)
    return (gradients / (side - 1)).astype(np.uint8)


def to_input(square: np.ndarray, settings: Preprocessing) -> np.ndarray:
    """The network's input for one square: float32 [1, size, size, 3]."""
    return normalise_squares(square[None], settings.image_size, settings.mean, settings.std)


def check_answer(folder: Path, predict: Callable[[np.ndarray], np.ndarray], runtime: str) -> float:
    """How far a runtime is from the known answer in `folder`: the largest difference of a logit.

    `predict`: from float32 [1, 3, size, size] to logits [1, classes]. Raises ExportError past the tolerance.
    """
    known, settings = Answers.read(folder), Preprocessing.read(folder)
    image = to_input(draw_test_square(known.record_size), settings)
    logits = predict(np.ascontiguousarray(image.transpose(0, 3, 1, 2)))[0]
    if len(logits) != len(known.logits):
        raise ExportError(f"{folder}: {runtime} gives {len(logits)} logits, {Answers.name()} has {len(known.logits)}")
    error = float(np.nan_to_num(np.abs(logits - np.array(known.logits)), nan=np.inf).max())
    if error > known.tolerance:
        raise ExportError(
            f"{folder}: {runtime} is off by {error:.3g} on the test square, {known.tolerance:g} is allowed by "
            f"{Answers.name()}; the files are of different exports, or this machine computes wrongly"
        )
    return error
