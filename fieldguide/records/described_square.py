"""A square photo with what is known of it: what a record is made of."""

import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import PhotoError, RecordError
from fieldguide.images.encode import ENDINGS, ImageFormat
from fieldguide.images.lab import rgb_to_lab, scale_lab

if TYPE_CHECKING:
    from fieldguide.records.features import Description

FORMATS: Final = {each.ending: each for each in ImageFormat}
"""Of squares, by the suffix that they have in a tar."""


@dataclass(eq=False)
class Square:
    """One photo on its way into a record."""

    image: bytes
    """A file of `format`."""
    side: int
    """px"""
    photo_id: str
    description: "Description"
    """Its own, or that of a photo that differs only in id and digest."""
    taxonomy: Taxonomy
    format: ImageFormat = ImageFormat.JPEG

    @property
    def file_name(self) -> str:
        """Its photo id with the suffix of its format."""
        return f"{self.photo_id}.{ENDINGS[self.format]}"

    def class_name(self, rank: str) -> str:
        """The name of its class at `rank`. Raises RecordError if the taxonomy has no such class."""
        name = self.description.labels.get(rank)
        if name is None or name not in self.taxonomy.index(rank):
            raise RecordError(
                f"photo {self.photo_id}: {rank} {name!r} is not a class of the taxonomy, which has "
                f"{len(self.taxonomy.classes[rank])}; are the resize and split outputs of the same run?"
            )
        return name

    def class_index(self, rank: str) -> int:
        """The index of that class. Raises RecordError likewise."""
        return self.taxonomy.index(rank)[self.class_name(rank)]

    @cached_property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """Decoded: uint8 [side, side, 3], RGB. Raises RecordError where that cannot be done."""
        try:
            return decode_pixels(self.image, self.format)
        except PhotoError as error:
            raise RecordError(f"photo {self.photo_id} {error}") from None

    @cached_property
    def lab(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """L* in [-1, 1] as [side, side, 1] and a*, b* over 127 as [side, side, 2], float32. Raises likewise."""
        return scale_lab(rgb_to_lab(self.pixels))


def decode_pixels(image: bytes, format: ImageFormat) -> npt.NDArray[np.uint8]:
    """A file of one of FORMATS as uint8 [height, width, 3], RGB. Raises PhotoError."""
    try:
        with Image.open(io.BytesIO(image), formats=[format.value.upper()]) as opened:
            return np.asarray(opened.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoError(f"does not decode: {error}") from None
