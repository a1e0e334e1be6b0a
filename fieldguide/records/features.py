"""What one photo becomes in a record, and back: its description, the features of its tf.train.Example, its Record."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from fieldguide.catalogue.taxonomy import Taxonomy
from fieldguide.errors import RecordError
from fieldguide.records.example import Feature, WireError
from fieldguide.records.manifest import FeatureSpec

if TYPE_CHECKING:
    import tensorflow as tf

Box = tuple[int, int, int, int]

ENCODED = "image/encoded"


class Description(BaseModel):
    """`{photo_id}.json` of a resized photo; the fields are explained in docs/formats.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    photo_id: str
    sha256: str
    labels: dict[str, str]
    region: str | None
    source_size: tuple[int, int]
    box: Box


@dataclass(frozen=True)
class Record:
    """One photo as the networks see it."""

    photo_id: str
    image: bytes
    """JPEG, square, RGB."""
    labels: dict[str, int]
    """Class index by rank, in the order of the taxonomy's ranks."""
    region: str | None
    box: Box
    """Left, top, right, bottom of the part that the photo fills, px; the rest is padding."""


def feature_specs(taxonomy: Taxonomy) -> dict[str, FeatureSpec]:
    """Type and shape of every feature that `to_example` writes."""
    text, number = FeatureSpec(dtype="bytes", shape=[]), FeatureSpec(dtype="int64", shape=[])
    specs = {ENCODED: text, "image/format": text, "image/height": number, "image/width": number}
    specs |= {"image/filename": text, "image/key/sha256": text}
    for prefix in ("image/class", *(f"image/class/{rank}" for rank in taxonomy.ranks)):
        specs |= {f"{prefix}/label": number, f"{prefix}/text": text}
    return specs | {"image/region": text, "image/box": FeatureSpec(dtype="int64", shape=[4])}


def to_example(image: bytes, side: int, description: Description, taxonomy: Taxonomy) -> "tf.train.Example":
    """A square JPEG of `side` px and what is known of it as an Example.

    Raises RecordError where the description names a class that the taxonomy lacks.
    """
    from fieldguide.records.quiet_tensorflow import tf

    values: dict[str, list[bytes] | list[int]] = {
        ENCODED: [image],
        "image/format": [b"jpeg"],
        "image/height": [side],
        "image/width": [side],
        "image/filename": [f"{description.photo_id}.jpg".encode()],
        "image/key/sha256": [hashlib.sha256(image).hexdigest().encode()],
        "image/region": [(description.region or "").encode()],
        "image/box": list(description.box),
    }
    for rank in taxonomy.ranks:
        name = description.labels.get(rank)
        if name is None or name not in taxonomy.index(rank):
            raise RecordError(
                f"photo {description.photo_id}: {rank} {name!r} is not a class of the taxonomy, which has "
                f"{len(taxonomy.classes[rank])}; are the resize and split outputs of the same run?"
            )
        prefixes = ("image/class", f"image/class/{rank}") if rank == taxonomy.ranks[0] else (f"image/class/{rank}",)
        for prefix in prefixes:
            values[f"{prefix}/label"] = [taxonomy.index(rank)[name]]
            values[f"{prefix}/text"] = [name.encode()]

    def feature(value: list[bytes] | list[int]) -> "tf.train.Feature":
        if isinstance(value[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=value))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=value))

    return tf.train.Example(features=tf.train.Features(feature={name: feature(v) for name, v in values.items()}))


def to_record(features: dict[str, Feature], taxonomy: Taxonomy) -> Record:
    """The features of one Example as a Record. Raises WireError."""
    labels = {}
    for rank in taxonomy.ranks:
        (label,) = _integers(features, f"image/class/{rank}/label", 1)
        if not 0 <= label < len(taxonomy.classes[rank]):
            raise WireError(f"{rank} label {label} is not among the {len(taxonomy.classes[rank])} classes")
        labels[rank] = label
    left, top, right, bottom = _integers(features, "image/box", 4)
    region = _text(features, "image/region")
    return Record(
        photo_id=_text(features, "image/filename").removesuffix(".jpg"),
        image=_bytes(features, ENCODED),
        labels=labels,
        region=region or None,
        box=(left, top, right, bottom),
    )


def _integers(features: dict[str, Feature], name: str, count: int) -> list[int]:
    values = [value for value in features.get(name, []) if isinstance(value, int)]
    if len(values) != count:
        raise WireError(f"feature {name!r} holds {len(values)} integers, expected {count}")
    return values


def _bytes(features: dict[str, Feature], name: str) -> bytes:
    values = features.get(name, [])
    if len(values) == 1 and isinstance(value := values[0], bytes):
        return value
    raise WireError(f"feature {name!r} does not hold one byte string")


def _text(features: dict[str, Feature], name: str) -> str:
    try:
        return _bytes(features, name).decode()
    except UnicodeDecodeError:
        raise WireError(f"feature {name!r} is not UTF-8") from None
