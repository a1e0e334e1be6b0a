"""A model folder, loaded: from photos to answers and embeddings.

    guide = fieldguide.load("models/export")
    [answer] = guide.predict(["tulip.jpg"])
    print(answer.verdict, answer.taxon.name, answer.taxon.probability)

The way of a photo is that of the pipeline (upright sRGB, a square, the network's input), but for the JPEG in which
records keep their squares.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from fieldguide.errors import ParamsError
from fieldguide.evaluate.familiar import Familiar, read_familiar
from fieldguide.evaluate.prior import Occasions, Prior
from fieldguide.evaluate.prior_file import read_prior
from fieldguide.evaluate.rules import Situation
from fieldguide.evaluate.tree import climb, fuse, inform
from fieldguide.export.inputs import normalise_squares
from fieldguide.export.known_answer import check_answer
from fieldguide.export.model_files import Calibration, Labels, Preprocessing
from fieldguide.export.model_folder import PRIOR_FILES
from fieldguide.images.decode import upright_rgb
from fieldguide.images.geometry import Box
from fieldguide.images.square import make_square
from fieldguide.inference.answer import Answer, conclude_answers
from fieldguide.inference.description import find_description
from fieldguide.inference.heat import lay_on_photo
from fieldguide.inference.runtimes import RUNTIMES, Runtime, choose_runtime
from fieldguide.records.squaring import cut_square

MAX_PIXELS = 200_000_000
"""Of a photo; a larger one is not decoded."""
BATCH_SIZE = 32

Photo = str | Path | bytes | Image.Image
"""A path, a file's bytes, or an image."""
Place = tuple[float, float]
"""Latitude and longitude, degrees."""


class Square(NamedTuple):
    """A photo as the records have it."""

    pixels: np.ndarray
    """uint8 [side, side, 3]"""
    box: Box
    """The part of it that the photo fills, px; the rest is padding."""


@dataclass(frozen=True)
class Guide:
    """A model and what its answers mean. Make it with `load`."""

    labels: Labels
    calibration: Calibration
    preprocessing: Preprocessing
    runtime: Runtime
    prior: Prior | None = None
    """What place and season say, where the evaluation found that to help."""
    familiar: Familiar | None = None
    """What tells strangers, where the evaluation has seen the network's training photos."""

    def within(self, *regions: str) -> "Guide":
        """The same, naming only what was seen in some regions of its training photos (`labels.regions`).

        Nothing is promised of its answers, for they were never measured. Raises ParamsError for an unknown region.
        """
        return replace(self, labels=self.labels.within(regions)) if regions else self

    def predict(
        self, photos: Iterable[Photo], *, top: int = 5, place: Place | None = None, month: int | None = None
    ) -> list[Answer]:
        """An answer for each photo, with the `top` likeliest taxa of each rank.

        `place` (latitude and longitude, degrees) and `month` (1 to 12) are where and when all of them were taken; a
        guide without a prior makes no use of them. Raises PhotoError for what is no photo, OSError for a path that
        cannot be read.
        """
        return [
            answer
            for squares in _in_batches([self.to_square(photo) for photo in photos])
            for answer in self.answer(squares, top=top, place=place, month=month)
        ]

    def predict_together(
        self, photos: Iterable[Photo], *, top: int = 5, place: Place | None = None, month: int | None = None
    ) -> Answer:
        """One answer from several photos of the same subject. Raises ParamsError without any, else as `predict`."""
        squares = [self.to_square(photo) for photo in photos]
        if not squares:
            raise ParamsError("no photos; expected one or more of the same subject")
        asked = [self._ask(self._to_inputs(batch)) for batch in _in_batches(squares)]
        fused = fuse(np.concatenate([logits for logits, _ in asked])[None], self.calibration.fusion_exponent)
        measured = [familiarity for _, familiarity in asked if familiarity is not None]
        together = np.concatenate(measured).mean(keepdims=True) if measured else None
        return self._conclude(fused, together, top, place, month, len(squares))[0]

    def embed(self, photos: Iterable[Photo]) -> np.ndarray:
        """What the classifier sees of each photo: float32 [num_photos, dim]. Raises as `predict`."""
        squares = [self.to_square(photo) for photo in photos]
        parts = [self.runtime.see(self._to_inputs(batch))[1] for batch in _in_batches(squares)]
        return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)

    def explain(self, photo: Photo, taxon: str | None = None) -> np.ndarray:
        """What each place of a photo adds to the logit of a taxon: float32 [height, width] of the upright photo, px.

        Positive where it spoke for the taxon, negative where against it. The network sees places far coarser than px,
        between which this is bilinear (heat.py). `taxon` is a scientific name of any rank, the finest where two ranks
        share it; by default the one that `predict` names.

        Raises ParamsError for a name that the guide does not know, ExportError for a network without an exact map,
        else as `predict`.
        """
        square, (width, height) = self._cut(photo)
        image = self._to_inputs([square])
        logits, familiarity = self._ask(image)
        named = self._conclude(logits, familiarity, 1, None, None)[0].taxon
        output = self._find_output(taxon) if taxon is not None else self._find_output(named.name, named.rank)
        found = self.runtime.open_maps().map_output(image, logits[0], output)
        return lay_on_photo(found, width, height, self.preprocessing.style.layout)

    def _find_output(self, name: str, rank: str | None = None) -> int:
        """The output of the taxon `name`, of `rank` or the finest that has it. Raises ParamsError."""
        start = 0
        starts = {}
        for each in self.labels.ranks:
            starts[each] = start
            start += len(self.labels.classes[each])
        for each in [rank] if rank else climb(self.labels.classes):
            if name in self.labels.classes[each]:
                return starts[each] + self.labels.classes[each].index(name)
        raise ParamsError(f"taxon {name!r} is unknown to this guide; expected one of labels.json")

    def to_square(self, photo: Photo) -> Square:
        """A photo as the records have it. Raises as `predict`."""
        return self._cut(photo)[0]

    def _cut(self, photo: Photo) -> tuple[Square, tuple[int, int]]:
        """`to_square`, and the upright photo's own width and height, px."""
        style = self.preprocessing.style
        if isinstance(photo, Image.Image):
            upright = upright_rgb(photo)
            square, box = make_square(upright, style.layout)
            return Square(np.asarray(square), box), upright.size
        content = photo if isinstance(photo, bytes) else Path(photo).read_bytes()
        square, geometry = cut_square(content, style, max_pixels=MAX_PIXELS)
        left, top, right, bottom = geometry["box"]
        width, height = geometry["source_size"]
        return Square(np.asarray(square), (left, top, right, bottom)), (width, height)

    def answer(
        self, squares: Sequence[Square], *, top: int = 5, place: Place | None = None, month: int | None = None
    ) -> list[Answer]:
        """An answer for each of a batch of squares, as `to_square` makes them; else as `predict`."""
        return self._conclude(*self._ask(self._to_inputs(squares)), top, place, month)

    def _ask(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Logits float32 [n, num_outputs] of inputs, and how familiar they look, float32 [n], if that can be told."""
        if self.familiar is None:
            return self.runtime.predict(images), None
        logits, prelogits = self.runtime.see(images)
        return logits, self.familiar.measure(prelogits, logits)

    def _conclude(
        self,
        logits: np.ndarray,
        familiarity: np.ndarray | None,
        top: int,
        place: Place | None,
        month: int | None,
        num_photos: int = 1,
    ) -> list[Answer]:
        is_placed = self.prior is not None and self.prior.strength > 0 and (place is not None or month is not None)
        if self.prior and is_placed:
            latitude, longitude = place or (np.nan, np.nan)
            at = Occasions(*(np.full(len(logits), each, np.float64) for each in (latitude, longitude, month or np.nan)))
            # The classes of the first rank come first.
            first, higher = np.split(logits, [self.prior.num_classes], axis=1)
            temperature = self.calibration.temperatures.get(self.labels.ranks[0], 1.0)
            logits = np.concatenate([inform(first, self.prior.log_factors(at), temperature), higher], axis=1)
        situation = Situation.of(num_photos, is_placed, self.calibration.most_photos)
        return conclude_answers(logits, self.labels, self.calibration, top, situation, familiarity)

    def _to_inputs(self, squares: Sequence[Square]) -> np.ndarray:
        style = self.preprocessing
        pixels = np.stack([square.pixels for square in squares])
        images = normalise_squares(pixels, style.image_size, style.mean, style.std)
        inputs = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        if self.runtime.hide_padding:
            return self.runtime.hide_padding(inputs, [square.box for square in squares], style.style.size)
        return inputs


def load(folder: str | Path, runtime: str | None = None, *, verify: bool = False) -> Guide:
    """Load a model folder: models/export, or a trained network's once it was evaluated (description.py).

    `runtime` is `torch` or `onnx`, by default what the folder has. `verify` asks it about the test square of
    answers.json first, which export-tfjs writes.

    Raises ParamsError for another runtime, and ExportError, TrainingError or RecordError if the folder is not whole or
    the test square gets another answer than it had.
    """
    folder = Path(folder)
    chosen = runtime or choose_runtime(folder)
    if chosen not in RUNTIMES:
        raise ParamsError(f"runtime {chosen!r}; expected one of {', '.join(RUNTIMES)}")
    described = find_description(folder)
    files = Labels.read(described), Calibration.read(described), Preprocessing.read(described)
    prior = read_prior(described) if (described / PRIOR_FILES[0]).exists() else None
    network = RUNTIMES[chosen](folder)
    if verify:
        check_answer(folder, network.predict, chosen)
    return Guide(*files, network, prior, read_familiar(described))


def _in_batches(squares: Sequence[Square]) -> Iterable[Sequence[Square]]:
    return (squares[start : start + BATCH_SIZE] for start in range(0, len(squares), BATCH_SIZE))
