"""The size of an image from its first bytes, in a twentieth of the time that Pillow takes to open it."""

import io
import struct

from PIL import Image

from fieldguide.errors import PhotoError
from fieldguide.images.jpeg import FRAMES

_LENGTH = struct.Struct(">H")
_SIZE = struct.Struct(">HH")


def read_size(content: bytes, format: str) -> tuple[int, int]:
    """Width and height (px) of a file of one of Pillow's formats, such as `jpeg`. Raises PhotoError."""
    if format == "jpeg" and (size := _jpeg_size(content)):
        return size
    try:
        with Image.open(io.BytesIO(content), formats=[format.upper()]) as image:
            return image.size
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoError(f"is not a {format.upper()}: {error}") from None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """What the frame header says, None unless it follows upon whole segments from the very start."""
    if content[:2] != b"\xff\xd8":
        return None
    position = 2
    try:
        while content[position] == 0xFF:
            if content[position + 1] in FRAMES:
                height, width = _SIZE.unpack_from(content, position + 5)
                return width, height
            position += 2 + _LENGTH.unpack_from(content, position + 2)[0]
    except (IndexError, struct.error):
        pass
    return None
