"""How much photos look like those that a network was taught with, by what its classifier sees and says of them.

A softmax shares out all probability among what a model knows, so something is likely for a photo of anything. Two
things tell a stranger all the same. It excites no class much, so log sum exp of its logits is low (the energy of Liu et
al., NeurIPS 2020, its sign turned). And what the classifier sees of it, the pre-logits, lies off the space of few
directions near which those of the training photos lie, their principal components, where no class has any weight.
Energy minus that distance, weighted so that both count alike, is virtual-logit matching (ViM; Wang, Li, Feng and Zhang,
CVPR 2022).
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt, PositiveInt, ValidationError
from scipy.linalg import eigh
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from fieldguide.errors import ExportError
from fieldguide.files import write_json, written_whole

NUM_DIRECTIONS: Final = 32
"""Of the space, at most."""
LARGEST: Final = 127
"""Of the steps in which a direction is told."""
FAMILIAR_FILES: Final = ("familiar.json", "familiar.bin")


@dataclass(frozen=True)
class Familiar:
    """Where the training photos lie before the classifier."""

    mean: np.ndarray
    """float32 [dim]"""
    scales: np.ndarray
    """What one step of each direction is: float32 [num_directions]."""
    steps: np.ndarray
    """int8 [num_directions, dim]; times their scales, rows are orthogonal and of length 1, but for the rounding."""
    weight: float
    """Of the distance beside the energy: what the likeliest logit of the training photos is above the mean of all, to
    how far they are from the space."""
    num_classes: int
    """Logits that are looked at, the first ones: those of the first rank."""

    @classmethod
    def of(cls, prelogits: np.ndarray, logits: np.ndarray) -> "Familiar":
        """The space of n > 0 training photos: float [n, dim], and their logits at the first rank, [n, num_classes]."""
        mean = prelogits.mean(axis=0, dtype=np.float64)
        centred = prelogits - mean
        num, dim = min(NUM_DIRECTIONS, len(centred) - 1, centred.shape[1] - 1), centred.shape[1]
        if num < 1:
            space = cls(mean.astype(np.float32), np.empty(0, np.float32), np.empty((0, dim), np.int8), 0.0, 0)
            return space._weighted(prelogits, logits)
        with threadpool_limits(1):  # sums of another order would be other bits
            _, vectors = eigh(centred.T @ centred, subset_by_index=(dim - num, dim - 1))
        directions = vectors.T[::-1]
        # Of a direction and its opposite, which are the same, the one whose largest number is positive.
        largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
        directions = directions * np.sign(largest)
        scales = (np.abs(directions).max(axis=1) / LARGEST).astype(np.float32)
        steps = np.rint(directions / scales[:, None]).astype(np.int8)
        return cls(mean.astype(np.float32), scales, steps, 0.0, 0)._weighted(prelogits, logits)

    def _weighted(self, prelogits: np.ndarray, logits: np.ndarray) -> "Familiar":
        """The same, with the weight that photos give."""
        above, distance = (logits.max(axis=1) - logits.mean(axis=1)).mean(), self._measure_distance(prelogits).mean()
        weight = float(f"{above / distance:.6g}") if distance > 0 else 1.0
        return replace(self, weight=weight, num_classes=logits.shape[1])

    @property
    def directions(self) -> np.ndarray:
        """float32 [num_directions, dim]"""
        rows: np.ndarray = self.steps * self.scales[:, None]
        return rows

    def measure(self, prelogits: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """How familiar photos look: float32 [n] of pre-logits float32 [n, dim] and logits float32 [n, num_outputs]."""
        energy = logsumexp(logits[:, : self.num_classes].astype(np.float64), axis=1)
        familiarity: np.ndarray = energy - self.weight * self._measure_distance(prelogits)
        return familiarity.astype(np.float32)

    def _measure_distance(self, prelogits: np.ndarray) -> np.ndarray:
        centred = prelogits - self.mean
        off = centred - (centred @ self.directions.T) @ self.directions
        distance: np.ndarray = np.linalg.norm(off, axis=1)
        return distance


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    dim: PositiveInt
    num_directions: NonNegativeInt
    num_classes: PositiveInt
    weight: NonNegativeFloat
    prelogits: str | None = None
    """The node of the bundle's model.json that is what the classifier sees."""


def write_familiar(familiar: Familiar, folder: Path, prelogits: str | None = None) -> None:
    """Write familiar.json and familiar.bin into `folder`; docs/formats.md has their layout."""
    json_name, bin_name = FAMILIAR_FILES
    parts = (familiar.mean.astype("<f4"), familiar.scales.astype("<f4"), familiar.steps.astype("i1"))
    with written_whole(folder / bin_name) as temporary:
        temporary.write_bytes(b"".join(part.tobytes() for part in parts))
    header = _Header(
        dim=len(familiar.mean),
        num_directions=len(familiar.scales),
        num_classes=familiar.num_classes,
        weight=familiar.weight,
        prelogits=prelogits,
    )
    write_json(folder / json_name, header.model_dump())


def read_familiar(folder: Path) -> Familiar | None:
    """What `write_familiar` wrote there; None if it wrote nothing. Raises ExportError where it is malformed."""
    json_file, bin_file = (folder / name for name in FAMILIAR_FILES)
    if not json_file.is_file():
        return None
    try:
        header = _Header.model_validate_json(json_file.read_bytes())
        content = bin_file.read_bytes()
    except FileNotFoundError as error:
        raise ExportError(f"{error.filename} is missing; expected what the evaluate stage wrote") from None
    except ValidationError as error:
        problem = error.errors()[0]
        raise ExportError(f"{json_file}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None
    dim, num = header.dim, header.num_directions
    expected = 4 * dim + 4 * num + num * dim
    if len(content) != expected:
        raise ExportError(f"{bin_file} has {len(content)} bytes; expected {expected}")
    mean, scales = np.frombuffer(content, "<f4", dim), np.frombuffer(content, "<f4", num, 4 * dim)
    steps = np.frombuffer(content, "i1", num * dim, 4 * (dim + num)).reshape(num, dim)
    return Familiar(mean, scales, steps, header.weight, header.num_classes)
