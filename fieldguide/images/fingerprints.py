"""Perceptual fingerprints of photos.

The fingerprint is PDQ (Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019):
256 bits, each the sign of a low DCT frequency. Recompression and rescaling flip a few, an unrelated photo about half.

On a plain picture, a small moth on a white sheet, nearly all frequencies are noise or ground, and strangers agree in
most bits. PDQ says so itself by a quality of 0 to 100, and its authors do not compare below MIN_QUALITY.
"""

import numpy as np
import numpy.typing as npt
import pdqhash
import polars as pl
import pyarrow as pa
from PIL import Image

NUM_BITS = 256
MIN_QUALITY = 50
REDUCED_SIDE = 256
Fingerprints = npt.NDArray[np.uint64]
"""Shape [num_photos, 4]."""


def reduced(image: Image.Image) -> Image.Image:
    """A large image averaged by the largest whole factor that leaves its shorter side REDUCED_SIDE px."""
    factor = min(image.size) // REDUCED_SIDE
    return image.reduce(factor) if factor > 1 else image


def fingerprint(image: Image.Image) -> bytes | None:
    """The PDQ fingerprint of an RGB image, 32 bytes; None where it is too plain to be told from others by one.

    A large image is reduced first: PDQ itself begins by averaging down to 64 px, and takes time for every pixel.
    """
    bits, quality = pdqhash.compute(np.asarray(reduced(image)))
    if quality < MIN_QUALITY:
        return None
    return np.packbits(np.asarray(bits, dtype=np.uint8)).tobytes()


def stack_fingerprints(fingerprints: pl.Series) -> Fingerprints:
    """A column of fingerprints (32 bytes each, no nulls) as one array."""
    packed = fingerprints.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.binary(NUM_BITS // 8))
    words = NUM_BITS // 64
    # Copied: Arrow's buffer may be read-only and its start need not be aligned.
    flat = np.frombuffer(packed.buffers()[1], np.uint64, len(packed) * words, packed.offset * NUM_BITS // 8)
    return flat.reshape(-1, words).copy()
