"""The manifests of resized squares and of TFRecord shards, and the index files that say where each record lies."""

import re
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import polars as pl
from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
)

from fieldguide.errors import RecordError
from fieldguide.files import file_sha256, write_json
from fieldguide.images.encode import Encoding, ImageFormat, Subsampling
from fieldguide.images.geometry import Fill, Layout, Method
from fieldguide.records.encoding import Dtype
from fieldguide.records.example import OVERHEAD

MANIFEST = "manifest.json"
TAXONOMY = "taxonomy.json"
LABELS = "labels.parquet"

PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ShardEntry(_Frozen):
    """One shard: its file name, how much it holds, and the SHA-256 of its bytes."""

    file: str
    num_records: NonNegativeInt
    num_bytes: NonNegativeInt
    sha256: str

    @field_validator("file")
    @classmethod
    def _stays_in_folder(cls, file: str) -> str:
        if not PLAIN_NAME.fullmatch(file):
            raise ValueError("a shard is a plain file name beside the manifest")
        return file


class SplitEntry(_Frozen):
    """The shards of one split, in reading order."""

    num_records: NonNegativeInt
    shards: list[ShardEntry]


class FeatureSpec(_Frozen):
    """Type and shape of one feature of every record; `[]` is a single value."""

    dtype: Dtype
    shape: list[PositiveInt]


Kind = Literal["image", "raw", "lab", "fused"]
"""What a record holds of a photo; kinds.py."""
Compression = Literal["none", "gzip", "zlib"]
"""Of a whole shard; TensorFlow calls them "", GZIP and ZLIB."""


class PixelStyle(_Frozen):
    """How records of kind raw hold pixels."""

    dtype: Literal["uint8", "float32"]
    """`uint8`: one byte string, height x width x RGB; `float32`: (level / 255 - mean) / std."""
    mean: tuple[float, float, float]
    """Of red, green, blue, for pixel values in [0, 1]; float32 only."""
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat]
    """Likewise."""


class SquareStyle(_Frozen):
    """How photos became squares: what a browser has to repeat before it asks a network."""

    size: PositiveInt
    """Both sides, px."""
    method: Method
    pad_color: tuple[int, int, int]
    """Red, green, blue of the padding, 0 to 255, where `pad_fill` is color."""
    quality: PositiveInt
    """Of a JPEG or WebP, 1 to 100."""
    pad_fill: Fill = Fill.COLOR
    upscale: bool = True
    """Whether photos smaller than the square were enlarged."""
    bbox_margin: NonNegativeFloat = 0.0
    """Of method bbox: room around a box, as a share of its longer side."""
    bbox_fallback: Literal[Method.PAD, Method.CROP, Method.SQUASH] = Method.PAD
    """Of method bbox: the method for photos without a box."""
    format: ImageFormat = ImageFormat.JPEG
    subsampling: Subsampling = Subsampling.QUARTER

    @property
    def layout(self) -> Layout:
        """Where a photo goes of which nothing but its size is known: all that a browser can repeat."""
        method = self.bbox_fallback if self.method is Method.BBOX else self.method
        return Layout(self.size, method, self.upscale, self.pad_fill, self.pad_color)

    @property
    def encoding(self) -> Encoding:
        """What kind of files the squares are."""
        return Encoding(self.format, self.quality, self.subsampling)


class SquareManifest(_Frozen):
    """manifest.json of the resize stage: written last, so a folder that has it is whole."""

    style: SquareStyle
    num_photos: dict[str, NonNegativeInt]
    """By tar, in the order of splits and numbers."""

    @classmethod
    def read(cls, directory: Path) -> "SquareManifest":
        """Read `directory/manifest.json`. Raises RecordError if it is missing or malformed."""
        return _read(cls, directory / MANIFEST, "resize")

    def write(self, directory: Path) -> None:
        """Write `directory/manifest.json`, whole or not at all."""
        write_json(directory / MANIFEST, self.model_dump(mode="json"))


class Manifest(_Frozen):
    """manifest.json of the tfrecord stage: written last, so a folder that has it is whole."""

    style: SquareStyle
    kind: Kind = "image"
    pixels: PixelStyle | None = None
    """Of kind raw."""
    compression: Compression = "none"
    """Compressed shards have no index: they are read whole, front to back."""
    splits: dict[str, SplitEntry]
    features: dict[str, FeatureSpec]
    tables: dict[str, str]
    """SHA-256 of labels.parquet and taxonomy.json."""

    @classmethod
    def read(cls, directory: Path) -> "Manifest":
        """Read `directory/manifest.json`. Raises RecordError if it is missing or malformed."""
        return _read(cls, directory / MANIFEST, "tfrecord")

    def write(self, directory: Path) -> None:
        """Write `directory/manifest.json`, whole or not at all."""
        write_json(directory / MANIFEST, self.model_dump(mode="json"))

    def check_indexed_images(self, directory: Path) -> None:
        """Raise RecordError unless single records can be read, and hold images."""
        if self.compression != "none":
            raise RecordError(
                f"{directory}: a shard compressed with {self.compression} is read whole and has no index; "
                "expected tfrecord.compression: none, or a reader of whole shards such as records.open_dataset"
            )
        if "image/encoded" not in self.features:
            raise RecordError(f"{directory} holds records of kind {self.kind}; expected tfrecord.kind: image")

    def check_table(self, directory: Path, name: str) -> None:
        """Raise RecordError unless the file `name` beside the manifest is the one that it names."""
        path = directory / name
        try:
            digest = file_sha256(path)
        except FileNotFoundError:
            raise RecordError(f"{path} is missing; run the tfrecord stage again") from None
        if digest != self.tables.get(name):
            raise RecordError(f"{path} is damaged: sha256 {digest}, the manifest says {self.tables.get(name)}")

    def split(self, name: str) -> SplitEntry:
        """The shards of split `name`. Raises RecordError listing the splits there are."""
        if name not in self.splits:
            raise RecordError(f"no split '{name}' among the records; found {', '.join(self.splits) or 'none'}")
        return self.splits[name]


_Model = TypeVar("_Model", bound=BaseModel)


def _read(model: type[_Model], path: Path, stage: str) -> _Model:
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise RecordError(f"{path} is missing; run the {stage} stage first") from None
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the file"
        raise RecordError(f"{path}: {where}: {problem['msg']}") from None


def index_path(shard: Path) -> Path:
    """The index file that belongs to a shard."""
    return shard.with_name(f"{shard.name}.index")


def write_index(path: Path, lengths: list[int]) -> None:
    """Write one `offset length` line per record (bytes, framing included)."""
    table = pl.DataFrame({"length": lengths}, {"length": pl.Int64})
    offsets = pl.col("length").cum_sum() - pl.col("length")
    table.select(offsets.alias("offset"), "length").write_csv(path, include_header=False, separator=" ")


def read_index(shard: Path, entry: ShardEntry) -> np.ndarray:
    """Offset and length of every record of `shard`: int64 [num_records, 2].

    Raises RecordError unless the records lie end to end and fill the `num_bytes` that the manifest names.
    """
    path = index_path(shard)
    try:
        text = path.read_bytes()
        # Four times as fast as a list of words, which matters for thousands of shards.
        table = np.fromstring(text, dtype=np.int64, sep=" ").reshape(-1, 2)
    except FileNotFoundError:
        raise RecordError(f"{path} is missing; the manifest names {entry.file}") from None
    except ValueError:
        raise RecordError(f"{path}: not lines of `offset length`") from None
    if len(table) != entry.num_records:
        raise RecordError(f"{path}: {len(table)} records, the manifest says {entry.num_records}")
    offsets, lengths = table[:, 0], table[:, 1]
    expected = np.concatenate([[0], np.cumsum(lengths)])
    if (lengths < OVERHEAD).any() or (expected[:-1] != offsets).any() or expected[-1] != entry.num_bytes:
        raise RecordError(f"{path}: the records do not lie end to end over the {entry.num_bytes} bytes of {entry.file}")
    return table
