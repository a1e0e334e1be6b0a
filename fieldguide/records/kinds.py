"""What a record holds of a photo: the encoded image, its pixels, or its L*a*b* planes.

`image` is for training here and anywhere: smallest, and decoded in a millisecond. `raw` spends disk to save that
millisecond. `lab` is the record of colourisation: lightness in, colour out. `fused` has the features of `image` and of
`lab` and, beside them, what a network says of the photo.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fieldguide.records.described_square import Square
from fieldguide.records.features import FIELDS, Field
from fieldguide.records.manifest import Compression, Kind, PixelStyle

SHARD_NAMES: Final[dict[Kind, str]] = {
    "image": "{split}-{number:05d}-of-{count:05d}.tfrecord",
    "raw": "{split}-{number:05d}-of-{count:05d}.tfrecord",
    "lab": "{prefix}lab_images_{number}.tfrecord",
    "fused": "{prefix}lab_images_{number}.tfrecord",
}
"""File names; `prefix` is empty for training, else the split: programs for colourisation look for `lab_images_*` and
`val_lab_images_*`."""
IMAGE_ONLY: Final = ("image/encoded", "image/format")
"""Features that a record of raw pixels has no use for."""


@dataclass(frozen=True)
class Form:
    """What the records of one folder hold, and how their shards are compressed."""

    kind: Kind = "image"
    pixels: PixelStyle | None = None
    """Of kind raw."""
    compression: Compression = "none"

    def fields(self, side: int) -> tuple[Field, ...]:
        """The features of records of `side` px squares."""
        if self.kind == "image":
            return FIELDS
        if self.kind == "raw":
            assert self.pixels is not None, "records of raw pixels need their style"
            return (_raw(self.pixels, side), *(field for field in FIELDS if field.name not in IMAGE_ONLY))
        assert self.kind == "lab", f"{self.kind} records are made of others, in fuse.py"
        return (
            Field("image_name", "bytes", lambda square, _: square.file_name.encode()),
            Field("image_l", "float32", lambda square, _: square.lab[0], shape=(side, side, 1)),
            Field("image_ab", "float32", lambda square, _: square.lab[1], shape=(side, side, 2)),
        )

    def num_pixel_bytes(self, side: int) -> int:
        """Bytes that the pixels of a square of `side` px take in a record; 0 where it holds the encoded image."""
        if self.kind == "image":
            return 0
        return (1 if self.pixels and self.pixels.dtype == "uint8" else 4) * 3 * side * side

    def shard_name(self, split: str, number: int, count: int) -> str:
        """The file name of shard `number` of `count`."""
        prefix = "" if split == "train" else f"{split}_"
        return SHARD_NAMES[self.kind].format(split=split, prefix=prefix, number=number, count=count)


def _raw(style: PixelStyle, side: int) -> Field:
    if style.dtype == "uint8":
        return Field("image/raw", "bytes", lambda square, _: square.pixels.tobytes())
    # Each level of each channel has one value: [256, 3].
    levels = (np.arange(256)[:, None] / 255 - np.array(style.mean)) / np.array(style.std)
    table = levels.astype(np.float32)

    def normalise(square: Square, _: str) -> npt.NDArray[np.float32]:
        return np.stack([table[:, channel][square.pixels[..., channel]] for channel in range(3)], axis=-1)

    return Field("image/raw", "float32", normalise, shape=(side, side, 3))
