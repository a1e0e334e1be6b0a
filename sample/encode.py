"""The bytes of each file of the sample: honest JPEGs, odd but usable encodings, and files that are broken."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import ExifTags, Image

from sample.camera import photograph
from sample.flora import FLORA
from sample.plan import Photo
from sample.plants import grow
from sample.poses import VIEWS

NEAR_DISTANCE = 18
"""Bits of 256 (PDQ) by which a near-duplicate may differ from its original; two copies may differ by twice that."""

ASPECTS = (1.0, 1.2, 4 / 3, 1.5, 16 / 9)
SHORTEST, LONGEST = 120, 400
SMALL_FILES = ("gray16", "rgb16", "palette", "png_named_jpg")
"""Encodings without loss, which are kept to the least size for the sake of the sample's weight."""


def encode(photo: Photo, seed: int) -> bytes | None:
    """The file that `photo` names; None where it is missing. Depends on nothing but the arguments."""
    if photo.encoding in WITHOUT_PICTURE:
        return WITHOUT_PICTURE[photo.encoding]()
    image, quality = take(photo, seed), _quality(photo, seed)
    if photo.encoding == "near":
        return _near_duplicate(_jpeg(image, quality), photo, seed)
    return ENCODINGS[photo.encoding](image, quality, photo)


def take(photo: Photo, seed: int) -> Image.Image:
    """The upright picture, RGB, before it is encoded."""
    plant = grow(FLORA[photo.species], np.random.default_rng([seed, 1, photo.plant]))
    rng = np.random.default_rng([seed, 2, photo.plant, photo.shot])
    view = str(rng.choice(list(VIEWS), p=list(VIEWS.values())))
    shorter = float(np.clip(127 * np.exp(rng.normal(0, 0.09)), SHORTEST, 180))
    if rng.random() < 0.04:
        shorter *= float(rng.uniform(1.3, 1.9))
    if photo.encoding in SMALL_FILES:
        shorter = SHORTEST
    longer = min(shorter * float(rng.choice(ASPECTS)), LONGEST)
    width, height = round(longer), round(shorter)
    if rng.random() < 0.4:
        width, height = height, width
    return photograph(plant, view, (width, height), rng)


def fingerprint(image: Image.Image) -> NDArray[np.uint8]:
    """PDQ of an RGB image, uint8 [256] of bits."""
    bits, _ = pdqhash.compute(np.asarray(image.convert("RGB")))
    return np.asarray(bits, np.uint8)


def _quality(photo: Photo, seed: int) -> int:
    return int(np.random.default_rng([seed, 3, photo.plant, photo.shot]).integers(64, 75))


def _jpeg(image: Image.Image, quality: int, orientation: int | None = None) -> bytes:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation or 1
    image.save(stream, "JPEG", quality=quality, optimize=True, exif=exif if orientation else b"")
    return stream.getvalue()


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _raw_png(width: int, height: int, depth: int, color_type: int, compressed: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    chunks = _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", compressed) + _png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _rgb16(image: Image.Image, quality: int, photo: Photo) -> bytes:
    # Pillow cannot write 16-bit colour. x * 257 spreads 0..255 evenly over 0..65535.
    lines = (np.asarray(image).astype(np.uint16) * 257).astype(">u2").reshape(image.height, -1)
    filtered = b"".join(b"\0" + line.tobytes() for line in lines)
    return _raw_png(image.width, image.height, 16, 2, zlib.compress(filtered, 9))


def _gray16(image: Image.Image, quality: int, photo: Photo) -> bytes:
    return _png(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257))


def _rotated(image: Image.Image, quality: int, photo: Photo) -> bytes:
    """Stored as the camera held it, with the EXIF orientation that sets it upright."""
    orientation = (6, 8, 3, 6, 8, 5, 2, 7, 4)[photo.plant % 9]
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return _jpeg(image.transpose(undo[orientation]), quality, orientation)


def _truncated(image: Image.Image, quality: int, photo: Photo) -> bytes:
    whole = _jpeg(image, quality)
    return whole[: len(whole) * (40 + photo.plant % 40) // 100]


def _unreadable(image: Image.Image, quality: int, photo: Photo) -> bytes:
    """A whole PNG with intact checksums whose lines name a filter that does not exist."""
    lines = np.asarray(image.quantize(32))
    return _raw_png(
        image.width, image.height, 8, 0, zlib.compress(b"".join(b"\x09" + line.tobytes() for line in lines))
    )


def _bomb() -> bytes:
    """A white PNG of 108 megapixels in 13 kB."""
    return _png(Image.new("1", (12000, 9000), 1))


def _web_page() -> bytes:
    return b"<!DOCTYPE html>\n<html><head><title>404</title></head><body><h1>Photo not found</h1></body></html>\n"


WITHOUT_PICTURE: dict[str, Callable[[], bytes | None]] = {
    "missing": lambda: None,
    "empty": lambda: b"",
    "html": _web_page,
    "bomb": _bomb,
}

ENCODINGS: dict[str, Callable[[Image.Image, int, Photo], bytes]] = {
    "plain": lambda image, quality, photo: _jpeg(image, quality),
    "truncated": _truncated,
    "unreadable": _unreadable,
    "too_small": lambda image, quality, photo: _jpeg(image.resize((40, 30 - photo.plant % 9)), 90),
    "png_named_jpg": lambda image, quality, photo: _png(image),
    "cmyk": lambda image, quality, photo: _jpeg(image.convert("CMYK"), quality),
    "gray": lambda image, quality, photo: _jpeg(image.convert("L"), quality),
    "gray16": _gray16,
    "rgb16": _rgb16,
    "palette": lambda image, quality, photo: _png(image.quantize(64)),
    "exif": _rotated,
}


def _near_duplicate(original: bytes, photo: Photo, seed: int) -> bytes:
    """The photo as it comes back from another site: recompressed, rescaled or slightly cropped."""
    with Image.open(io.BytesIO(original)) as image:
        image.load()
    rng = np.random.default_rng([seed, 4, photo.plant, photo.shot, photo.copy])
    target = fingerprint(image)
    while True:
        copy = _altered(image, str(rng.choice(("recompress", "rescale", "crop"))), rng)
        with Image.open(io.BytesIO(copy)) as again:
            if np.count_nonzero(fingerprint(again) != target) <= NEAR_DISTANCE:
                return copy


def _altered(image: Image.Image, way: str, rng: np.random.Generator) -> bytes:
    if way == "crop":
        cuts = rng.uniform(0.004, 0.03, 4) * (image.width, image.height, image.width, image.height)
        left, top, right, bottom = cuts.tolist()
        image = image.crop((round(left), round(top), round(image.width - right), round(image.height - bottom)))
    elif way == "rescale":
        factor = float(rng.uniform(0.72, 1.25))
        image = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)
    return _jpeg(image, int(rng.integers(45, 90)))
