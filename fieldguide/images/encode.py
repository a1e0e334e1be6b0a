"""How an image becomes a file that leaves the pipeline: pixels and no words, equal bytes for equal pixels."""

import io
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from PIL import Image


class ImageFormat(StrEnum):
    """What kind of file the squares are; also `image/format` of their records."""

    JPEG = "jpeg"
    WEBP = "webp"
    """Lossy; a third smaller than a JPEG that looks as good."""
    PNG = "png"
    """Every pixel as it was; five times as large."""

    @property
    def ending(self) -> str:
        """Of file names, without the dot."""
        return ENDINGS[self]


ENDINGS: Final = {ImageFormat.JPEG: "jpg", ImageFormat.WEBP: "webp", ImageFormat.PNG: "png"}
STARTS: Final = {ImageFormat.WEBP: b"RIFF", ImageFormat.PNG: b"\x89PNG"}
DECODERS: Final = tuple(each.value.upper() for each in ImageFormat)
"""The same as Pillow names them: a record is opened as one of these and nothing else."""


def format_of(content: bytes) -> ImageFormat:
    """The format of a file that `encode` wrote."""
    return next((each for each, start in STARTS.items() if content.startswith(start)), ImageFormat.JPEG)


class Subsampling(StrEnum):
    """How much of the colour a JPEG keeps beside the brightness; WebP knows the last alone."""

    FULL = "4:4:4"
    HALF = "4:2:2"
    """Half as many columns."""
    QUARTER = "4:2:0"
    """Half as many columns and rows."""


@dataclass(frozen=True)
class Encoding:
    """A format and how much is lost in it."""

    format: ImageFormat = ImageFormat.JPEG
    quality: int = 92
    """1 to 100; says nothing to a PNG."""
    subsampling: Subsampling = Subsampling.QUARTER
    """Says nothing to a PNG."""


def encode(image: Image.Image, encoding: Encoding) -> bytes:
    """The pixels of an RGB image as a file: no Exif, no profile, no comment."""
    stream = io.BytesIO()
    # Decoders leave words in the image's `info`, some of which Pillow writes unless others are given.
    bare = image.copy() if image.info else image
    bare.info = {}
    bare.save(stream, encoding.format.value, **_options(encoding))
    return stream.getvalue()


def encode_jpeg(image: Image.Image, quality: int) -> bytes:
    """`encode` as a JPEG that keeps a quarter of the colours."""
    return encode(image, Encoding(ImageFormat.JPEG, quality))


def _options(encoding: Encoding) -> dict[str, Any]:
    if encoding.format is ImageFormat.PNG:
        return {"compress_level": 6}
    if encoding.format is ImageFormat.WEBP:
        return {"quality": encoding.quality, "method": 4}
    return {"quality": encoding.quality, "subsampling": encoding.subsampling.value}
