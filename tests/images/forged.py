"""Photo files with more in them than a camera writes: words beside the pixels, numbers without sense."""

import struct
import zlib

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from tests.images.pictures import encode

SECRET = b"51.4779 N, 0.0015 W"
"""What stands beside the pixels of `talkative` files."""


def segment(marker: int, body: bytes) -> bytes:
    """One of a JPEG's."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def chunk(kind: bytes, body: bytes, *, is_sound: bool = True) -> bytes:
    """One of a PNG's."""
    checksum = zlib.crc32(kind + body) ^ (not is_sound)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """A JPEG with segments behind those that it begins with."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks behind its header."""
    return png[:33] + b"".join(chunks) + png[33:]


def talkative(kind: str, image: Image.Image, orientation: int = 1) -> bytes:
    """A picture in format `kind` with SECRET in every place that the format has for words."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.ImageDescription] = SECRET.decode()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[29] = SECRET.decode()
    if kind == "JPEG":
        thumbnail = b"JFIF\0\1\1\0\0\1\0\1\x02\x03" + SECRET[:18]
        jpeg = encode(image, exif=exif, comment=SECRET, xmp=SECRET)
        photoshop = segment(0xED, b"Photoshop 3.0\0" + SECRET)
        # In the place of the JFIF segment that Pillow writes first.
        return jpeg[:2] + segment(0xE0, thumbnail) + photoshop + jpeg[20:] + SECRET
    if kind == "PNG":
        texts = PngInfo()
        texts.add_text("comment", SECRET.decode())
        texts.add_text("Comment", SECRET.decode(), zip=True)
        texts.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        return encode(image, kind, pnginfo=texts, exif=exif) + SECRET
    if kind == "GIF":
        return encode(image, kind, comment=SECRET)
    return encode(image, kind, exif=exif, xmp=SECRET) if kind != "BMP" else encode(image, kind) + SECRET


def tiff_header(width: int, height: int) -> bytes:
    """A TIFF that claims a size."""
    sizes = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 64)]
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sizes)
    return b"II*\0" + struct.pack("<IH", 8, len(sizes)) + tags + bytes(4 + 64)


def oriented(jpeg: bytes, value: int, kind: int = 4) -> bytes:
    """A JPEG whose Exif gives this for its orientation, in a type of that number."""
    tag = struct.pack("<HHII", ExifTags.Base.Orientation, kind, 1, value)
    return with_segments(jpeg, segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\1\0" + tag + bytes(4)))
