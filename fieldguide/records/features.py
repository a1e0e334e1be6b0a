"""What one photo becomes in a record, and back: its description, the features of its tf.train.Example, its Record.

Each feature is one row of FIELDS: what the manifest says of it, how it is written and how it is read follow from there.
kinds.py has the rows of records that hold pixels in the place of an encoded image.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.records.described_square import Square
from fieldguide.records.encoding import Dtype
from fieldguide.records.example import Feature, WireError
from fieldguide.records.manifest import FeatureSpec

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


PER_RANK: Final = "{rank}"
"""In the name of a field: there is one such feature for each rank of the taxonomy."""
KINDS: Final[dict[Dtype, type]] = {"bytes": bytes, "int64": int, "float32": float}
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
    dtype: Dtype
    write: Callable[[Square, str], Any]
    """Its value, or its values: a list, or for float32 an array of `shape`."""
    attribute: str = ""
    """Of Record, there by rank if the field is; empty: nothing reads it back."""
    read: Read = _only
    """The attribute, from the list of values as they were written. Raises WireError or UnicodeDecodeError."""
    shape: tuple[int, ...] = ()
    """Of its values; (): one value, which TensorFlow reads as a scalar."""
    is_shared: bool = False
    """Whether all photos of one format and one description, its ids left aside, have the same value."""

    @property
    def length(self) -> int:
        """The number of its values."""
        return math.prod(self.shape)

    @property
    def spec(self) -> FeatureSpec:
        """What the manifest says of it."""
        return FeatureSpec(dtype=self.dtype, shape=list(self.shape))


def _read_label(values: Sequence[int], rank: str, taxonomy: Taxonomy) -> int:
    num_classes = len(taxonomy.classes[rank])
    if not 0 <= values[0] < num_classes:
        raise WireError(f"{rank} label {values[0]} is not among the {num_classes} classes")
    return values[0]


FIELDS: Final = (
    Field("image/encoded", "bytes", lambda square, _: square.image, "image"),
    Field("image/format", "bytes", lambda square, _: square.format.encode(), is_shared=True),
    Field("image/height", "int64", lambda square, _: square.side, is_shared=True),
    Field("image/width", "int64", lambda square, _: square.side, is_shared=True),
    Field(
        "image/filename",
        "bytes",
        lambda square, _: square.file_name.encode(),
        "photo_id",
        lambda values, rank, taxonomy: values[0].decode().partition(".")[0],
    ),
    Field("image/key/sha256", "bytes", lambda square, _: hashlib.sha256(square.image).hexdigest().encode()),
    Field("image/class/label", "int64", Square.class_index, is_shared=True),
    Field("image/class/text", "bytes", lambda square, rank: square.class_name(rank).encode(), is_shared=True),
    Field("image/class/{rank}/label", "int64", Square.class_index, "labels", _read_label, is_shared=True),
    Field(
        "image/class/{rank}/text",
        "bytes",
        lambda square, rank: square.class_name(rank).encode(),
        is_shared=True,
    ),
    Field(
        "image/region",
        "bytes",
        lambda square, _: (square.description.region or "").encode(),
        "region",
        lambda values, rank, taxonomy: values[0].decode() or None,
        is_shared=True,
    ),
    Field(
        "image/box",
        "int64",
        lambda square, _: list(square.description.box),
        "box",
        lambda values, rank, taxonomy: tuple(values),
        shape=(4,),
        is_shared=True,
    ),
)
"""Of a record of kind image."""


def feature_specs(taxonomy: Taxonomy, fields: Iterable[Field] = FIELDS) -> dict[str, FeatureSpec]:
    """Type and shape of every feature of a record that is made of `fields`."""
    return {name: field.spec for name, _, field in expand(fields, taxonomy.ranks)}


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


def expand(fields: Iterable[Field], ranks: Sequence[str]) -> Iterator[tuple[str, str, Field]]:
    """Name, rank and field of every feature, in order; the fields of one rank stand together."""
    for per_rank, group in groupby(fields, lambda field: PER_RANK in field.name):
        together = list(group)
        for rank in ranks if per_rank else ranks[:1]:
            for field in together:
                yield field.name.replace(PER_RANK, rank), rank, field


@lru_cache(maxsize=8)
def _read_back(ranks: tuple[str, ...]) -> tuple[tuple[str, type, int, Read, str, str, bool], ...]:
    """What `to_record` needs of those fields that are attributes of a Record, looked up once for all records."""
    return tuple(
        (name, KINDS[field.dtype], field.length, field.read, rank, field.attribute, PER_RANK in field.name)
        for name, rank, field in expand(FIELDS, ranks)
        if field.attribute
    )


def _describe_mismatch(name: str, kind: type, count: int, values: Sequence[Any]) -> str:
    if kind is bytes:
        return f"feature {name!r} does not hold one byte string"
    return f"feature {name!r} holds {sum(isinstance(value, int) for value in values)} integers, expected {count}"
