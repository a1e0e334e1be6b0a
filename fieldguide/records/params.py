"""The `resize` and `tfrecord` sections of params.yaml."""

from typing import Annotated

from pydantic import Field, PositiveInt

from fieldguide.engine import EngineParams
from fieldguide.images.geometry import Method
from fieldguide.params import Section, Side

Channel = Annotated[int, Field(ge=0, le=255)]


class ResizeParams(Section):
    """What a training image looks like."""

    size: Side
    """Both sides, px."""
    method: Method
    """`pad` keeps the aspect ratio and fills the rest, `crop` takes the centre square, `squash` bends the aspect."""
    pad_color: tuple[Channel, Channel, Channel]
    """Red, green, blue of the padding, 0 to 255."""
    quality: Annotated[int, Field(ge=1, le=100)]
    """Of the JPEG, 1 to 100."""
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
