"""Opens photo files with Pillow and gets their pixels, whatever else stands in them and however long it would take."""

import io
import time
from dataclasses import dataclass
from math import ceil
from typing import Final

import simplejpeg
from PIL import ExifTags, Image, ImageFile

from fieldguide.images.jpeg import MAX_SCANS, take_apart_jpeg, try_two_ends
from fieldguide.images.kinds import find_kind
from fieldguide.images.levels import find_sixteen_bits, is_wide, scale_color, scale_grey
from fieldguide.images.parts import CostlyError, Parts
from fieldguide.images.png import take_apart_png
from fieldguide.images.turning import ON_THEIR_SIDE

# One place decides what a bomb is (`max_megapixels`); Pillow's own limit would raise before we can look at the size.
Image.MAX_IMAGE_PIXELS = None
FORMATS: Final = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")
TAKE_APART: Final = {"JPEG": take_apart_jpeg, "PNG": take_apart_png}
HALVES: Final = (1 / 8, 1 / 4, 1 / 2, 1.0)
SCALES_BETWEEN: Final = (3 / 8, 5 / 8, 3 / 4)
"""libjpeg-turbo decodes at these too, more slowly a pixel, which pays for a quarter fewer or less; 7/8 does not."""
MAX_SECONDS: float = 60.0
"""A photo that is still being read after that is given up; the largest that are allowed take two."""


class Timed(io.BytesIO):
    """Bytes to be had for MAX_SECONDS. Decoders ask for them piece by piece, so that this ends the work."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.end = time.monotonic() + MAX_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any stream, in time; later raises CostlyError."""
        if time.monotonic() > self.end:
            raise CostlyError
        return super().read(size)


@dataclass(frozen=True)
class Header:
    """A photo of which no pixel is decoded yet."""

    parts: Parts
    image: ImageFile.ImageFile
    width: int
    """px, as stored."""
    height: int
    orientation: int | None
    """1 to 8; None if there is none, or none with a meaning."""
    profile: bytes | None
    """The ICC profile, as found."""


def take_apart(content: bytes) -> Parts:
    """`content` without what pixels do not need, as far as its format can be taken apart."""
    kind = find_kind(content)
    take = TAKE_APART.get(kind.name) if kind else None
    return take(content) if take else Parts(content)


def open_photo(parts: Parts) -> Header:
    """Read the header of a photo. Raises whatever Pillow does."""
    image = _open(parts.pixels)
    orientation = _read_orientation(image, parts)
    width, height = image.size
    if image.format == "TIFF" and orientation in ON_THEIR_SIDE:
        # Pillow gives the upright size of these.
        width, height = height, width
    return Header(parts, image, width, height, orientation, parts.profile or image.info.get("icc_profile"))


def load_pixels(header: Header, shrink: float = 1) -> tuple[Image.Image, float]:
    """The pixels of a photo as stored, of 8 bits a channel, and their scale. Raises CostlyError, or what Pillow does.

    A JPEG comes at the smallest scale of 1/1, 1/2, 1/4, 1/8 and, of colours, those of SCALES_BETWEEN that makes it at
    most `shrink` times smaller: its sides are those of the photo times the scale, rounded up.
    """
    image, content = header.image, header.parts.pixels
    if header.parts.num_scans > MAX_SCANS:
        raise CostlyError
    if not header.parts.is_ended:
        content = _end(header.parts)
        image = _open(content)
    scale = 1.0
    if image.format == "JPEG":
        between = min((each for each in SCALES_BETWEEN if each * shrink >= 1), default=1.0)
        halves = min(each for each in HALVES if each * shrink >= 1 or each == 1)
        if between < halves and image.mode == "RGB" and (found := _decode_between(content, between, image.size)):
            return found, between
        if halves < 1:
            image.draft(None, (max(1, int(image.width * halves)), max(1, int(image.height * halves))))
            scale = halves
    has_sixteen_bits = find_sixteen_bits(image)
    image.load()
    if is_wide(image):
        return scale_grey(image), scale
    return scale_color(image, _open(content)) if has_sixteen_bits else image, scale


def _decode_between(content: bytes, scale: float, size: tuple[int, int]) -> Image.Image | None:
    """A JPEG at a scale that Pillow cannot ask for; None where anything is unusual, which Pillow then judges."""
    width, height = (ceil(side * scale) for side in size)
    try:
        pixels = simplejpeg.decode_jpeg(content, "RGB", min_width=width, min_height=height)
    except ValueError:
        return None
    return Image.fromarray(pixels) if pixels.shape == (height, width, 3) else None


def _open(content: bytes) -> ImageFile.ImageFile:
    image = Image.open(Timed(content), formats=FORMATS)
    if image.format == "TIFF":
        # It would turn the picture now, and read all metadata for that: a damaged tag would cost the photo.
        image.load_end = lambda: None  # type: ignore[method-assign]
    return image


def _read_orientation(image: ImageFile.ImageFile, parts: Parts) -> int | None:
    try:
        if image.format in TAKE_APART:
            exif = Image.Exif()
            exif.load(parts.exif or b"")
        else:
            exif = image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation)
    except (MemoryError, CostlyError):
        raise
    except Exception:  # damaged Exif says nothing, and takes nothing from the pixels
        return None
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else None


def _end(parts: Parts) -> bytes:
    """A JPEG with its end marker, if nothing but that was missing."""
    ends = try_two_ends(parts.pixels)
    if ends is None or _open(ends[0]).tobytes() != _open(ends[1]).tobytes():
        raise EOFError("pixels are missing too")
    return ends[0]
