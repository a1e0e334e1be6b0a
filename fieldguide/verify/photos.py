"""Whether a photo decodes.

A JPEG's entropy-coded data is read from end to end, as in any decoding, but every block becomes a single gray pixel:
whatever a decoder stumbles over is found in a quarter of the time.
"""

from typing import Final

import simplejpeg

from fieldguide.images.decode import decode_photo
from fieldguide.verify.findings import Damage

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".webp", ".png", ".gif", ".bmp", ".avif"})
"""Names of photos in tars; what they are is said by their first bytes."""
MAX_PIXELS: Final = 200_000_000
_JPEG: Final = b"\xff\xd8\xff"
_MAGICS: Final = (_JPEG, b"\x89PNG\r\n\x1a\n", b"GIF8")


def is_photo(content: bytes) -> bool:
    """Whether the first bytes are those of a JPEG, PNG, GIF or WebP."""
    return content.startswith(_MAGICS) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


def check_photo(content: bytes) -> tuple[int, int, bool]:
    """Width and height (px, as stored) and whether it is RGB. Raises Damage if it does not decode.

    What libjpeg complains about is given to Pillow, as clean does: a photo that it reads is a photo.
    """
    if content.startswith(_JPEG):
        try:
            height, width, space, _ = simplejpeg.decode_jpeg_header(content)
            if width * height <= MAX_PIXELS:
                simplejpeg.decode_jpeg(
                    content, "GRAY", fastdct=True, fastupsample=True, min_height=1, min_width=1, min_factor=1
                )
                return width, height, space == "YCbCr"
        except ValueError:
            pass
    found = decode_photo(content, MAX_PIXELS)
    if found.image is None or found.width is None or found.height is None:
        assert found.flaw
        raise Damage(f"{found.flaw.value}: {found.flaw.meaning}")
    return found.width, found.height, found.mode == "RGB"
