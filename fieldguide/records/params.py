"""The `resize` and `tfrecord` sections of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from fieldguide.engine import EngineParams
from fieldguide.images.encode import ImageFormat, Subsampling
from fieldguide.images.geometry import Fill, Method
from fieldguide.params import Section, Side
from fieldguide.records.kinds import Form
from fieldguide.records.manifest import Compression, PixelStyle
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


class RawParams(Section):
    """How records of kind raw hold pixels."""

    dtype: Literal["uint8", "float32"]
    """`uint8`: the levels as they are; `float32`: (level / 255 - mean) / std, four times the bytes."""
    mean: tuple[float, float, float]
    """Of red, green, blue, for pixel values in [0, 1]; float32 only."""
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat]
    """Likewise."""


class TfrecordParams(Section):
    """What the records hold, and how they are shuffled and cut."""

    kind: Literal["image", "raw", "lab"]
    """`image`: the encoded square, which training reads; `raw`: its pixels; `lab`: L* and a*b* planes."""
    raw: RawParams
    """How `kind: raw` holds pixels."""
    compression: Compression
    """`none`, `gzip` or `zlib`, of whole shards. A compressed shard is read whole, so training takes `none` only."""
    records_per_shard: PositiveInt | None
    """Records in one TFRecord file; null: `shard_mb` says."""
    shard_mb: PositiveFloat | None
    """About so many MB in one TFRecord file; null: `records_per_shard` says."""
    min_shards: PositiveInt
    """Files of a split at least: one for each process that reads it."""
    shuffle_memory_mb: Annotated[int, Field(ge=16)]
    """MB for shuffling, of all workers together, whatever the number of photos. The order does not depend on it."""
    salt: str
    """Another one gives another order."""
    engine: EngineParams
    """Where the shards are worked on."""

    @model_validator(mode="after")
    def _one_of_two_cuts(self) -> "TfrecordParams":
        if (self.records_per_shard is None) == (self.shard_mb is None):
            raise ValueError("expected one of records_per_shard and shard_mb, and null for the other")
        return self

    @property
    def form(self) -> Form:
        """What the records hold."""
        pixels = PixelStyle(**self.raw.model_dump()) if self.kind == "raw" else None
        return Form(self.kind, pixels, self.compression)
