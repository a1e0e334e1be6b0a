"""The one way in which an image becomes a file that leaves the pipeline."""

import io

from PIL import Image


def encode_jpeg(image: Image.Image, quality: int) -> bytes:
    """The pixels of an RGB image as a JPEG of `quality` 1 to 95: no Exif, no profile, no comment."""
    stream = io.BytesIO()
    # Decoders leave comments in the image's `info`, and Pillow writes them unless another is given.
    image.save(stream, "JPEG", quality=quality, comment=b"")
    return stream.getvalue()
