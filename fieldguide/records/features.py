"""What one photo becomes in a record, and back: its description, the features of its tf.train.Example, its Record.

Each feature is one row of FIELDS: what the manifest says of it, how it is written and how it is read follow from there.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import RecordError
from fieldguide.images.encode import ImageFormat
from fieldguide.records.example import Feature, WireError
from fieldguide.records.manifest import FeatureSpec

if TYPE_CHECKING:
    import tensorflow as tf

Box = tuple[int, int, int, int]


class Description(BaseModel):
    """`{photo_id}.json` of a resized photo; the fields are explained in docs/formats.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    photo_id: str
    sha256: str
    labels: dict[str, str]
    region: str | None
    source_size: tuple[int, int]
    box: Box
    subject: Box | None = None


@dataclass(frozen=True)
class Record:
    """One photo as the networks see it."""

    photo_id: str
    image: bytes
    """A square RGB image, as a file of the format that the manifest's style names."""
    labels: dict[str, int]
    """Class index by rank, in the order of the taxonomy's ranks."""
    region: str | None
    box: Box
    """Left, top, right, bottom of the part that the photo fills, px; the rest is padding."""


class Square(NamedTuple):
    """What a record is made of."""

    image: bytes
    """A file of `format`."""
    side: int
    """px"""
    description: Description
    taxonomy: Taxonomy
    format: ImageFormat = ImageFormat.JPEG

    def class_name(self, rank: str) -> str:
        """The name of its class at `rank`. Raises RecordError if the taxonomy has no such class."""
        name = self.description.labels.get(rank)
        if name is None or name not in self.taxonomy.index(rank):
            raise RecordError(
                f"photo {self.description.photo_id}: {rank} {name!r} is not a class of the taxonomy, which has "
                f"{len(self.taxonomy.classes[rank])}; are the resize and split outputs of the same run?"
            )
        return name

    def class_index(self, rank: str) -> int:
        """The index of that class. Raises RecordError likewise."""
        return self.taxonomy.index(rank)[self.class_name(rank)]


PER_RANK: Final = "{rank}"
"""In the name of a field: there is one such feature for each rank of the taxonomy."""
KINDS: Final = {"bytes": bytes, "int64": int}
"""What `parse_example` gives for each dtype."""


Read = Callable[[Sequence[Any], str, Taxonomy], Any]


def _only(values: Sequence[Any], rank: str, taxonomy: Taxonomy) -> Any:
    return values[0]


@dataclass(frozen=True)
class Field:
    """One row: a feature of the Example, and what it is in a Record.

    Functions get the rank of a field of PER_RANK, else the first of the taxonomy's ranks.
    """

    name: str
    dtype: Literal["bytes", "int64"]
    write: Callable[[Square, str], Any]
    """Its value, or the list of `length` values."""
    attribute: str = ""
    """Of Record, there by rank if the field is; empty: nothing reads it back."""
    read: Read = _only
    """The attribute, from the list of values as they were written. Raises WireError or UnicodeDecodeError."""
    length: int | None = None
    """None: one value, which TensorFlow reads as a scalar."""


def _read_label(values: Sequence[int], rank: str, taxonomy: Taxonomy) -> int:
    num_classes = len(taxonomy.classes[rank])
    if not 0 <= values[0] < num_classes:
        raise WireError(f"{rank} label {values[0]} is not among the {num_classes} classes")
    return values[0]


FIELDS: Final = (
    Field("image/encoded", "bytes", lambda square, _: square.image, "image"),
    Field("image/format", "bytes", lambda square, _: square.format.value.encode()),
    Field("image/height", "int64", lambda square, _: square.side),
    Field("image/width", "int64", lambda square, _: square.side),
    Field(
        "image/filename",
        "bytes",
        lambda square, _: f"{square.description.photo_id}.{square.format.ending}".encode(),
        "photo_id",
        lambda values, rank, taxonomy: values[0].decode().partition(".")[0],
    ),
    Field("image/key/sha256", "bytes", lambda square, _: hashlib.sha256(square.image).hexdigest().encode()),
    Field("image/class/label", "int64", Square.class_index),
    Field("image/class/text", "bytes", lambda square, rank: square.class_name(rank).encode()),
    Field("image/class/{rank}/label", "int64", Square.class_index, "labels", _read_label),
    Field("image/class/{rank}/text", "bytes", lambda square, rank: square.class_name(rank).encode()),
    Field(
        "image/region",
        "bytes",
        lambda square, _: (square.description.region or "").encode(),
        "region",
        lambda values, rank, taxonomy: values[0].decode() or None,
    ),
    Field(
        "image/box",
        "int64",
        lambda square, _: list(square.description.box),
        "box",
        lambda values, rank, taxonomy: tuple(values),
        length=4,
    ),
)


def feature_specs(taxonomy: Taxonomy) -> dict[str, FeatureSpec]:
    """Type and shape of every feature that `to_example` writes."""
    return {
        name: FeatureSpec(dtype=field.dtype, shape=[] if field.length is None else [field.length])
        for name, _, field in _expand(taxonomy.ranks)
    }


def to_example(
    image: bytes,
    side: int,
    description: Description,
    taxonomy: Taxonomy,
    image_format: ImageFormat = ImageFormat.JPEG,
) -> "tf.train.Example":
    """The file of a square of `side` px and what is known of it as an Example.

    Raises RecordError where the description names a class that the taxonomy lacks.
    """
    from fieldguide.records.quiet_tensorflow import tf

    square = Square(image, side, description, taxonomy, image_format)
    features = {}
    for name, rank, field in _expand(taxonomy.ranks):
        value = field.write(square, rank)
        values = [value] if field.length is None else value
        features[name] = (
            tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
            if field.dtype == "bytes"
            else tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        )
    return tf.train.Example(features=tf.train.Features(feature=features))


def to_record(features: dict[str, Feature], taxonomy: Taxonomy) -> Record:
    """The features of one Example as a Record. Raises WireError."""
    attributes: dict[str, Any] = {}
    try:
        for name, kind, count, read, rank, attribute, is_per_rank in _read_back(tuple(taxonomy.ranks)):
            values: Sequence[Any] = features.get(name, ())
            if len(values) != count or type(values[0]) is not kind:
                raise WireError(_describe_mismatch(name, kind, count, values))
            value = read(values, rank, taxonomy)
            if is_per_rank:
                attributes.setdefault(attribute, {})[rank] = value
            else:
                attributes[attribute] = value
    except UnicodeDecodeError:
        raise WireError(f"feature {name!r} is not UTF-8") from None
    return Record(**attributes)


def _expand(ranks: Sequence[str]) -> Iterator[tuple[str, str, Field]]:
    """Name, rank and field of every feature, in order; the fields of one rank stand together."""
    for per_rank, group in groupby(FIELDS, lambda field: PER_RANK in field.name):
        fields = list(group)
        for rank in ranks if per_rank else ranks[:1]:
            for field in fields:
                yield field.name.replace(PER_RANK, rank), rank, field


@lru_cache(maxsize=8)
def _read_back(ranks: tuple[str, ...]) -> tuple[tuple[str, type, int, Read, str, str, bool], ...]:
    """What `to_record` needs of those fields that are attributes of a Record, looked up once for all records."""
    return tuple(
        (name, KINDS[field.dtype], field.length or 1, field.read, rank, field.attribute, PER_RANK in field.name)
        for name, rank, field in _expand(ranks)
        if field.attribute
    )


def _describe_mismatch(name: str, kind: type, count: int, values: Sequence[Any]) -> str:
    if kind is bytes:
        return f"feature {name!r} does not hold one byte string"
    return f"feature {name!r} holds {sum(isinstance(value, int) for value in values)} integers, expected {count}"
