"""The `resize` and `tfrecord` sections of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from fieldguide.engine import EngineParams
from fieldguide.images.encode import ImageFormat, Subsampling
from fieldguide.images.geometry import Fill, Method
from fieldguide.params import Section, Side
from fieldguide.records.texts import Members

Channel = Annotated[int, Field(ge=0, le=255)]


class ResizeParams(Section):
    """What a training image looks like."""

    size: Side
    """Both sides, px."""
    method: Method
    """`pad` keeps the aspect ratio and fills the rest, `crop` takes the centre square, `squash` bends the aspect,
    `bbox` takes the square around the box that the source draws."""
    bbox_margin: Annotated[float, Field(ge=0, le=4)]
    """Of `bbox`: what is left around the box on each side, as a share of its longer side."""
    bbox_fallback: Literal[Method.PAD, Method.CROP, Method.SQUASH]
    """Of `bbox`: the method for photos without a box, the browser's among them."""
    upscale: bool
    """Whether a photo smaller than the square is enlarged; else it lies in the middle as it is."""
    pad_fill: Fill
    """What is where the photo is not: `color`, the `mean` of its pixels, its `edge` drawn out, or its `reflect`ion."""
    pad_color: tuple[Channel, Channel, Channel]
    """Red, green, blue of the fill `color`, 0 to 255."""
    format: ImageFormat
    """`jpeg`, `webp` (lossy, smaller) or `png` (lossless, large)."""
    quality: Annotated[int, Field(ge=1, le=100)]
    """Of a JPEG or WebP, 1 to 100."""
    subsampling: Subsampling
    """How much colour a JPEG keeps: `4:4:4` all, `4:2:2` half, `4:2:0` a quarter, as WebP always does."""
    members: Members
    """What stands beside each photo and its JSON: nothing (`plain`), or its names and captions (`treeoflife`)."""
    photos_per_shard: PositiveInt
    """Photos in one tar shard."""
    engine: EngineParams
    """Where the shards are worked on."""


class TfrecordParams(Section):
    """How the records are cut and shuffled."""

    records_per_shard: PositiveInt
    """Records in one TFRecord file."""
    salt: str
    """Another one gives another order."""
    engine: EngineParams
    """Where the shards are worked on."""
